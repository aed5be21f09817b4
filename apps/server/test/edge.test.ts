import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { databaseKinds, migrationsFolder, openTestDatabase, startUpstream, type TestDatabase } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleWorker, type WorkerModule } from "../scripts/edge/bundle.ts";
import { type LocalWorker, startLocalWorker } from "../scripts/edge/local-worker.ts";
import { readConfig } from "../src/config/config.ts";
import { startServer } from "../src/start.ts";
import { clientOf, usual } from "./kit.ts";

const mostKilobytes = 320;
/** Read and run before the first request: the domain comes with what asks for it. */
const mostAtStart = 16;
const password = "Correct-horse-1";

test("the worker is small enough to be deployed and to start at once", async () => {
  const { entry, chunks, wasm } = await bundleWorker();
  expect(kilobytesOf([entry, ...chunks, ...wasm])).toBeLessThan(mostKilobytes);
  const atStart = new Set([entry]);
  for (const { contents } of atStart) {
    const text = new TextDecoder().decode(contents);
    const imported = Array.from(text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.mjs)"/g), ([, name]) => name);
    for (const chunk of chunks) if (imported.includes(chunk.name)) atStart.add(chunk);
  }
  expect(atStart.size).toBeGreaterThan(1);
  expect(kilobytesOf(atStart)).toBeLessThan(mostAtStart);
}, 60_000);

function kilobytesOf(modules: Iterable<WorkerModule>): number {
  let sum = 0;
  for (const { contents } of modules) sum += gzipSync(contents).length;
  return sum / 1_024;
}

describe.skipIf(!databaseKinds.includes("postgres"))("in workerd", () => {
  let database: TestDatabase;
  let folder: string;
  const workers: LocalWorker[] = [];

  beforeEach(async () => {
    database = await openTestDatabase("postgres");
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-edge-"));
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const databaseUrl = () => database.url ?? "";

  async function start(env: Record<string, string> = {}, onLine = (_line: string) => {}) {
    const worker = await startLocalWorker({ databaseUrl: databaseUrl(), variables: { ...usual, ...env }, folder, onLine });
    workers.push(worker);
    return worker;
  }

  async function signUp(url: string, email: string) {
    const registered = await clientOf(url, null).auth.register.mutate({ email, password });
    if ("next" in registered) throw new Error("The account has to be verified first");
    return clientOf(url, registered.tokens.accessToken ?? "");
  }

  async function statusOf(runId: string): Promise<unknown> {
    const rows = await database.database.execute(sql`select status from runs where id = ${runId}::uuid`);
    return Array.from(rows as Iterable<{ status: string }>)[0]?.status;
  }

  test("accounts made there sign in on Node, and the other way round, on one database", async () => {
    const worker = await start();
    const config = readConfig({ ...usual, PORT: "0", DATABASE_URL: databaseUrl() });
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const server = await startServer(config, { assets: { migrations: migrationsFolder, pgliteTemplate: null }, log: silent });
    try {
      for (const [from, to, email] of [
        [worker.url, server.url, "edge@example.com"],
        [server.url, worker.url, "node@example.com"],
      ] as const) {
        await signUp(from, email);
        const login = await clientOf(to, null).auth.login.mutate({ identifier: email, password: `${password}` });
        const here = clientOf(from, login.tokens.accessToken ?? "");
        expect((await here.auth.me.query()).user.email).toBe(email);
        const wrong = clientOf(to, null).auth.login.mutate({ identifier: email, password: "Wrong-horse-1" });
        await expect(wrong).rejects.toMatchObject({ data: { reason: "invalid_credentials" } });
      }
    } finally {
      await server.stop();
    }
  });

  test("it is ready once the migrations of its version are there", async () => {
    const { url } = await start();
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    await database.database.execute(sql`delete from drizzle.__drizzle_migrations where id = 3`);
    await expect.poll(async () => (await fetch(`${url}/ready`)).status, { timeout: 5_000 }).toBe(503);
  });

  test("with a wrong variable every request is refused, and the log says which it is", async () => {
    const lines: string[] = [];
    const { url } = await start({ RATE_LIMIT_CHAT: "many" }, (line) => lines.push(line));
    for (const path of ["/live", "/trpc/auth.me"]) {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(503);
      expect(response.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
      const { error } = await response.json();
      expect(error.json ?? error).toMatchObject({ data: { reason: "unavailable", httpStatus: 503 } });
      expect(JSON.stringify(error)).not.toContain("RATE_LIMIT_CHAT");
    }
    await expect.poll(() => lines.filter((line) => line.includes("RATE_LIMIT_CHAT"))).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "error" });
  });

  test("an answer is written when everybody has left", async () => {
    const { url } = await start();
    const api = await signUp(url, "ada@example.com");
    const { answer } = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    await expect.poll(() => statusOf(answer?.runId ?? ""), { timeout: 10_000 }).toBe("completed");
  });

  test("a stream whose client has left before its answer began comes to its end", async () => {
    const lines: string[] = [];
    const { url } = await start({ LOG_LEVEL: "debug" }, (line) => lines.push(line));
    const registered = await clientOf(url, null).auth.register.mutate({ email: "ada@example.com", password });
    if ("next" in registered) throw new Error("The account has to be verified first");
    const headers = { authorization: `Bearer ${registered.tokens.accessToken}` };
    const call = request(`${url}/trpc/chat.live?input=%7B%22json%22%3A%7B%7D%7D`, { headers });
    call.on("error", () => {});
    let isAnswered = false;
    call.on("response", () => {
      isAnswered = true;
    });
    call.end(() => setImmediate(() => call.destroy()));
    const told = (message: string) => lines.some((line) => line.includes('"chat.live"') && line.includes(message));
    await expect.poll(() => told('"reason":null'), { timeout: 10_000 }).toBe(true);
    expect(isAnswered).toBe(false);
    await expect.poll(() => told("subscription ended"), { timeout: 60_000, interval: 500 }).toBe(true);
  }, 90_000);

  describe("with a vendor that is silent in mid-answer", () => {
    let upstream: Awaited<ReturnType<typeof startUpstream>>;
    beforeEach(async () => {
      upstream = await startUpstream();
      upstream.models("anthropic", ["claude-sonnet-5-5"]);
    });
    afterEach(() => upstream.stop());

    async function ask() {
      upstream.script({ steps: [{ text: "To parley is" }, { stall: true }] });
      const env = { ANTHROPIC_API_KEY: "fake-key", ANTHROPIC_BASE_URL: upstream.url };
      const worker = await start(env);
      const api = await signUp(worker.url, "ada@example.com");
      const { answer, conversationId } = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
      const runId = answer?.runId ?? "";
      const textOf = async () => {
        const rows = await database.database.execute(sql`select text from runs where id = ${runId}::uuid`);
        return Array.from(rows as Iterable<{ text: string }>)[0]?.text;
      };
      await expect.poll(textOf, { timeout: 10_000 }).toBe("To parley is");
      return { worker, api, env, runId, conversationId };
    }

    test("models that only their server knows are on offer, and answer", async () => {
      upstream.models("openai", ["local-model"]);
      upstream.otherwise({ steps: [{ text: "Well." }], usage: { input: 2, output: 1 } });
      const { url } = await start({ OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1` });
      const api = await signUp(url, "ada@example.com");
      expect((await api.model.list.query()).items.map(({ id }) => id)).toContain("local-model");
      const { answer } = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello", model: "local-model" });
      await expect.poll(() => statusOf(answer?.runId ?? ""), { timeout: 5_000 }).toBe("completed");
    });

    test("a run is stopped from anywhere, with its text kept", async () => {
      const { api, runId, conversationId } = await ask();
      await api.chat.stop.mutate({ runId });
      await expect.poll(() => statusOf(runId), { timeout: 5_000 }).toBe("stopped");
      const { items } = await api.chat.messages.list.query({ conversationId });
      expect(items.at(-1)).toMatchObject({ status: "stopped", content: "To parley is" });
    });

    test("a run whose object is put out ends as interrupted by its alarm, and nobody has to ask", async () => {
      const { worker, env, runId } = await ask();
      await worker.stop();
      workers.splice(0);
      await start(env);
      await expect.poll(() => statusOf(runId), { timeout: 40_000, interval: 500 }).toBe("interrupted");
    }, 60_000);
  });
});
