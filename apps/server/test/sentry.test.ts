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
  type TestDatabase,
  type Upstream,
} from "@parley/testing";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ProcessNode, serverEntry, startProcess } from "./soak/process-node.ts";
import { runtimes } from "./workerd.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

const password = "Canary-password-1";
const model = "claude-sonnet-5";

describe.each(runtimes)("on %s", (runtime) => {
  const isWorker = runtime === "workerd";
  let ingest: SentryIngest;
  let upstream: Upstream;
  let folder: string;
  let server: ProcessNode | undefined;
  let database: TestDatabase | undefined;
  beforeEach(async () => {
    expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true);
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-sentry-"));
    ingest = await startSentryIngest();
    upstream = await startUpstream();
    upstream.models("anthropic", [model]);
  });
  afterEach(async () => {
    await server?.end("SIGKILL");
    await database?.close();
    database = undefined;
    await Promise.all([upstream.stop(), ingest.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}) {
    if (isWorker) database ??= await openTestDatabase("postgres");
    server = await startProcess(
      folder,
      {
        ...(database && { DATABASE_URL: database.url ?? "" }),
        SENTRY_DSN: ingest.dsn,
        NODE_NAME: "node-one",
        ANTHROPIC_API_KEY: "canary-key",
        ANTHROPIC_BASE_URL: upstream.url,
        TASK_MODEL: "off",
        ...env,
      },
      runtime,
    );
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
    const of = (name: string) => ingest.of("transaction").find(({ transaction }) => transaction === name);
    // At its end a process hands on what waits; a worker has no end.
    if (isWorker) await expect.poll(() => of("chat.messages.search") && of("run"), { timeout: 10_000 }).toBeDefined();
    await process.end("SIGTERM");

    const [call, run] = [of("chat.send"), of("run")];
    // There the turn is taken in the run's object.
    const turn = isWorker ? of("turn") : call;
    const shared = {
      platform: isWorker ? "javascript" : "node",
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
      contexts: { trace: { op: "run", trace_id: traceOf(call).trace_id, parent_span_id: traceOf(turn).span_id } },
    });
    expect(run?.spans).toContainEqual(
      expect.objectContaining({
        op: "gen_ai.chat",
        description: `chat ${model}`,
        parent_span_id: traceOf(run).span_id,
        status: "ok",
      }),
    );
    expect(turn?.spans).toContainEqual(expect.objectContaining({ op: "db.query", parent_span_id: traceOf(turn).span_id }));
    if (isWorker)
      expect(traceOf(turn)).toMatchObject({ trace_id: traceOf(call).trace_id, parent_span_id: traceOf(call).span_id });
    expectNoCanary(token);
  });

  // A worker has no process that could end.
  test.skipIf(isWorker)("a crash is reported before the process ends, without its message", async () => {
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
      database = await openTestDatabase("postgres");
      const { parley, process, token, userId } = await start({
        DATABASE_URL: database.url ?? "",
        SENTRY_TRACES_SAMPLE_RATE: "0",
      });
      const sql = postgres(database.url ?? "", { max: 1 });
      await sql`alter table messages rename to elsewhere`;
      await sql.end();
      const failure = await parley.api.chat.send
        .mutate({ clientMessageId: "1", content: "canary prompt" })
        .catch((error: unknown) => error);
      await parley.close();
      const reported = () => ingest.of("event").find(({ transaction }) => transaction === "chat.send");
      if (isWorker) await expect.poll(reported, { timeout: 10_000 }).toBeDefined();
      await process.end("SIGTERM");
      const { reason, requestId } = (failure as { data: { reason: string; requestId: string } }).data;
      expect(reason).toBe("internal");
      expect(reported()).toMatchObject({
        level: "error",
        user: { id: userId },
        tags: { request_id: requestId, procedure: "chat.send" },
        exception: { values: [{ value: "42P01" }, { mechanism: { handled: true } }] },
      });
      expectNoCanary(token);
    },
  );
});
