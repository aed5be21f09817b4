import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createParley } from "@parley/client";
import {
  databaseKinds,
  openTestDatabase,
  type SentryIngest,
  startSentryIngest,
  startUpstream,
  type Upstream,
} from "@parley/testing";
import postgres from "postgres";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ProcessNode, serverEntry, startProcess } from "./soak/process-node.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

const password = "Canary-password-1";
const model = "claude-sonnet-5";

let ingest: SentryIngest;
let upstream: Upstream;
let folder: string;
let server: ProcessNode | undefined;
beforeEach(async () => {
  expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true);
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-sentry-"));
  ingest = await startSentryIngest();
  upstream = await startUpstream();
  upstream.models("anthropic", [model]);
});
afterEach(async () => {
  await server?.end("SIGKILL");
  await Promise.all([upstream.stop(), ingest.stop()]);
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}) {
  server = await startProcess(folder, {
    SENTRY_DSN: ingest.dsn,
    NODE_NAME: "node-one",
    ANTHROPIC_API_KEY: "canary-key",
    ANTHROPIC_BASE_URL: upstream.url,
    TASK_MODEL: "off",
    ...env,
  });
  const { url } = server;
  const guest = createParley({ url, transport: "sse" });
  const registered = await guest.api.auth.register.mutate({ email: "canary@example.com", username: "canary", password });
  if (!("tokens" in registered)) throw new Error("The account has to be verified first");
  const token = registered.tokens.accessToken ?? "";
  return { url, token, userId: registered.user.id, process: server, parley: createParley({ url, token, transport: "sse" }) };
}

function expectNoCanary(token: string) {
  const everything = ingest.everything.join("\n");
  expect(everything).not.toMatch(/canary/i);
  expect(everything).not.toContain(token);
  expect(everything).not.toContain(token.split(".").at(-1));
}

test("traces come as transactions of the same steps, and nothing that anybody wrote is in them", async () => {
  const { parley, process, token, userId } = await start();
  upstream.otherwise({ steps: [{ text: "canary answer" }], usage: { input: 3, output: 2 } });
  const { answer } = await parley.api.chat.send.mutate({ clientMessageId: "1", content: "canary prompt" });
  for await (const _ of parley.chat.follow(answer?.runId ?? ""));
  await parley.api.chat.messages.search.query({ text: "canary" });
  await parley.close();
  await process.end("SIGTERM");

  const of = (name: string) => ingest.of("transaction").find(({ transaction }) => transaction === name);
  const [call, run] = [of("chat.send"), of("run")];
  const shared = {
    platform: "node",
    release: expect.stringMatching(/^parley@\d/),
    environment: "development",
    server_name: "node-one",
    user: { id: userId },
  };
  expect(call).toMatchObject({
    ...shared,
    contexts: { trace: { op: "rpc.server", status: "ok", data: { "rpc.system": "trpc" } } },
  });
  const traceOf = (transaction: typeof call) =>
    (transaction as { contexts: { trace: { trace_id: string; span_id: string } } }).contexts.trace;
  expect(run).toMatchObject({
    ...shared,
    contexts: { trace: { op: "run", trace_id: traceOf(call).trace_id, parent_span_id: traceOf(call).span_id } },
  });
  expect(run?.spans).toContainEqual(
    expect.objectContaining({
      op: "gen_ai.chat",
      description: `chat ${model}`,
      parent_span_id: traceOf(run).span_id,
      status: "ok",
    }),
  );
  expect(call?.spans).toContainEqual(expect.objectContaining({ op: "db.query", parent_span_id: traceOf(call).span_id }));
  expectNoCanary(token);
});

test("a crash is reported before the process ends, without its message", async () => {
  const crash = path.join(folder, "crash.mjs");
  await writeFile(crash, `process.on("SIGUSR2", () => { void Promise.reject(new TypeError("canary of a crash")); });`);
  const { process, token } = await start({ NODE_OPTIONS: `--import ${crash}`, SENTRY_TRACES_SAMPLE_RATE: "0" });
  process.signal("SIGUSR2");
  expect(await process.exitCode).toBe(1);
  expect(ingest.of("transaction")).toEqual([]);
  expect(ingest.of("event")).toMatchObject([
    {
      level: "fatal",
      release: expect.stringMatching(/^parley@\d/),
      environment: "development",
      server_name: "node-one",
      tags: { kind: "unhandledRejection" },
      exception: { values: [{ type: "TypeError", stacktrace: { frames: expect.any(Array) }, mechanism: { handled: false } }] },
    },
  ]);
  expectNoCanary(token);
});

test.skipIf(!databaseKinds.includes("postgres"))(
  "an unexpected error tells its call, its caller's id and its code, and no parameter",
  async () => {
    await using database = await openTestDatabase("postgres");
    const { parley, process, token, userId } = await start({ DATABASE_URL: database.url ?? "", SENTRY_TRACES_SAMPLE_RATE: "0" });
    const sql = postgres(database.url ?? "", { max: 1 });
    await sql`alter table messages rename to elsewhere`;
    await sql.end();
    const failure = await parley.api.chat.send
      .mutate({ clientMessageId: "1", content: "canary prompt" })
      .catch((error: unknown) => error);
    await parley.close();
    await process.end("SIGTERM");
    const { reason, requestId } = (failure as { data: { reason: string; requestId: string } }).data;
    expect(reason).toBe("internal");
    const event = ingest.of("event").find(({ transaction }) => transaction === "chat.send");
    expect(event).toMatchObject({
      level: "error",
      user: { id: userId },
      tags: { request_id: requestId, procedure: "chat.send" },
      exception: { values: [{ value: "42P01" }, { mechanism: { handled: true } }] },
    });
    expectNoCanary(token);
  },
);
