import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type AppRouter, createParley, type ParleyInputs } from "@parley/client";
import {
  type CollectedSpan,
  type Collector,
  openTestDatabase,
  startCollector,
  startUpstream,
  type TestDatabase,
  type Upstream,
} from "@parley/testing";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { type ProcessNode, serverEntry, startProcess } from "./soak/process-node.ts";
import { runtimes } from "./workerd.ts";

const claude = "claude-sonnet-5";
const gemini = "gemini-2.5-flash";
const secrets = {
  prompt: "canary-prompt-7f3a",
  answer: "canary-answer-91bc",
  key: "canary-key-55de",
  password: "Canary-password-1",
};

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

describe.each(runtimes)("on %s", (runtime) => {
  let collector: Collector;
  let upstream: Upstream;
  let folder: string;
  let server: ProcessNode | undefined;
  let database: TestDatabase | undefined;
  beforeEach(async () => {
    expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true);
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-tracing-"));
    collector = await startCollector();
    upstream = await startUpstream();
    upstream.models("anthropic", [claude]);
    upstream.models("gemini", [gemini]);
  });
  afterEach(async () => {
    await server?.end("SIGKILL");
    await database?.close();
    await Promise.all([upstream.stop(), collector.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}) {
    database = runtime === "workerd" ? await openTestDatabase("postgres") : undefined;
    server = await startProcess(
      folder,
      {
        ...(database && { DATABASE_URL: database.url ?? "" }),
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=seven,authorization=Basic%20abc",
        OTEL_BSP_SCHEDULE_DELAY: "20",
        NODE_NAME: "node-one",
        ANTHROPIC_API_KEY: secrets.key,
        ANTHROPIC_BASE_URL: upstream.url,
        GOOGLE_AI_API_KEY: secrets.key,
        GOOGLE_AI_BASE_URL: upstream.url,
        TASK_MODEL: "off",
        ...env,
      },
      runtime,
    );
    const { url } = server;
    const guest = createParley({ url, transport: "sse" });
    const email = "canary-mail@example.com";
    const registered = await guest.api.auth.register.mutate({ email, password: secrets.password });
    const token = ("tokens" in registered && registered.tokens.accessToken) || "";
    return { url, token, process: server };
  }

  /** The steps of the trace in which this run was made, once its run is there. */
  async function traceOf(runId: string): Promise<CollectedSpan[]> {
    const run = () => collector.named("run").find(({ attributes }) => attributes["parley.run.id"] === runId);
    await expect.poll(run, { timeout: 10_000 }).toBeDefined();
    const { traceId } = run() ?? {};
    const steps = () => collector.spans.filter((span) => span.traceId === traceId);
    await expect.poll(() => steps().some(({ name }) => name === "chat.send"), { timeout: 10_000 }).toBe(true);
    return steps();
  }

  function only(spans: CollectedSpan[], name: string): CollectedSpan {
    const found = spans.filter((span) => span.name === name);
    expect(found, name).toHaveLength(1);
    const [span] = found;
    if (!span) throw new Error(`There is no ${name}`);
    return span;
  }

  /** Our own client sends over HTTP: tRPC's does it over its socket. */
  async function sendOverSocket({ url, token }: { url: string; token: string }, asked: ParleyInputs["chat"]["send"]) {
    const socket = createWSClient({ url: `${url}/trpc`, WebSocket: WebSocket as never, connectionParams: { token } });
    try {
      const client = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket, transformer: superjson })] });
      return await client.chat.send.mutate(asked);
    } finally {
      await socket.close();
    }
  }

  test.each(["http", "websocket"] as const)(
    "a chat.send (%s) is one trace: call, statements, run, each call to a model, failover",
    async (transport) => {
      const { url, token } = await start();
      const parley = createParley({ url, token, transport: "sse" });
      upstream.byModel(claude, { refusal: { status: 529, type: "overloaded" } });
      upstream.byModel(gemini, {
        steps: [{ waitMs: 50 }, { text: secrets.answer }, { waitMs: 50 }, { text: "!" }],
        usage: { input: 12, output: 3 },
      });
      const asked = { clientMessageId: "1", content: secrets.prompt, model: claude, fallbacks: [gemini] };
      const { answer } = await (transport === "http"
        ? parley.api.chat.send.mutate(asked)
        : sendOverSocket({ url, token }, asked));
      const runId = answer?.runId ?? "";
      for await (const _ of parley.chat.follow(runId));
      await parley.close();
      const trace = await traceOf(runId);

      const call = only(trace, "chat.send");
      expect(call).toMatchObject({ kind: "server", parentId: null, failure: null });
      expect(call.attributes).toMatchObject({
        "rpc.system": "trpc",
        "rpc.method": "chat.send",
        "network.protocol.name": transport,
        "parley.request.id": expect.stringMatching(/^[\w-]{8,}$/),
        "user.id": expect.stringMatching(/^[\w-]{36}$/),
      });
      // On a worker the turn is taken in the run's object: its statements and the run are below that step.
      const turn = runtime === "workerd" ? only(trace, "turn") : call;
      if (turn !== call) expect(turn).toMatchObject({ kind: "internal", parentId: call.id, failure: null });
      const run = only(trace, "run");
      expect(run).toMatchObject({ kind: "internal", parentId: turn.id, failure: null });
      expect(run.attributes).toMatchObject({ "parley.status": "completed", "parley.model": gemini, "parley.attempts": 4 });
      expect(run.events.map(({ name }) => name)).toEqual(["another model takes over"]);
      expect(run.endMs).toBeGreaterThan(call.endMs);

      const refused = trace.filter(({ name }) => name === `chat ${claude}`);
      expect(refused).toHaveLength(3);
      for (const attempt of refused) {
        expect(attempt).toMatchObject({ kind: "client", parentId: run.id, failure: "overloaded", events: [] });
        expect(attempt.attributes).toMatchObject({
          "http.response.status_code": 529,
          "error.type": "overloaded",
          "parley.key": 1,
        });
      }
      const answered = only(trace, `chat ${gemini}`);
      expect(answered).toMatchObject({ kind: "client", parentId: run.id, failure: null });
      expect(answered.attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gemini",
        "gen_ai.request.model": gemini,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
        "parley.outcome": "completed",
      });
      const [first] = answered.events;
      expect(answered.events.map(({ name }) => name)).toEqual(["first token"]);
      expect(first?.atMs).toBeGreaterThan(answered.startMs);
      expect(first?.atMs).toBeLessThan(answered.endMs);

      const statements = trace.filter(({ attributes }) => attributes["db.system.name"] === "postgresql");
      expect(statements.filter(({ parentId }) => parentId === turn.id).length).toBeGreaterThan(0);
      expect(statements.filter(({ parentId }) => parentId === run.id).length).toBeGreaterThan(0);
      expect(trace).toHaveLength(new Set([call, turn, run]).size + 4 + statements.length);
      for (const span of trace) {
        expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
        const parent = trace.find(({ id }) => id === span.parentId);
        if (parent) expect(span.startMs, span.name).toBeGreaterThanOrEqual(parent.startMs);
        if (parent && span !== run) expect(span.endMs, span.name).toBeLessThanOrEqual(parent.endMs);
      }
    },
  );

  test("nothing that anybody wrote, and no secret, is in what a collector gets; its headers and the resource are", async () => {
    const { url, token, process } = await start({ TASK_MODEL: "same" });
    const parley = createParley({ url, token, transport: "sse" });
    upstream.otherwise({ steps: [{ text: secrets.answer }], usage: { input: 3, output: 2 } });
    const { answer, conversationId } = await parley.api.chat.send.mutate({
      clientMessageId: "1",
      content: secrets.prompt,
      model: claude,
    });
    for await (const _ of parley.chat.follow(answer?.runId ?? ""));
    await parley.api.chat.messages.search.query({ text: secrets.prompt });
    await expect(parley.api.chat.conversations.get.query({ id: crypto.randomUUID() })).rejects.toThrow();
    await expect(
      createParley({ url, transport: "sse" }).api.auth.login.mutate({
        identifier: "canary-mail@example.com",
        password: "Canary-password-2",
      }),
    ).rejects.toThrow();
    await expect.poll(() => collector.named("task title").length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => collector.named("auth.login").length, { timeout: 10_000 }).toBe(1);
    await parley.close();
    await process.end("SIGTERM");

    const title = collector.named("task title")[0];
    expect(collector.spans.filter(({ parentId }) => parentId === title?.id).map(({ name }) => name)).toContain(`chat ${claude}`);
    expect(collector.named("run")[0]?.id).toBe(title?.parentId);
    const refusal = collector.named("chat.conversations.get")[0];
    expect(refusal).toMatchObject({ failure: null, attributes: { "parley.reason": "not_found" } });

    const sent = collector.requests.map(({ body }) => body).join("\n");
    expect(sent).toContain(conversationId);
    expect(sent).not.toMatch(/canary/i);
    expect(sent).not.toContain(token);
    for (const { path: where, headers } of collector.requests) {
      expect(where).toBe("POST /v1/traces");
      expect(headers).toMatchObject({ "content-type": "application/json", "x-tenant": "seven", authorization: "Basic abc" });
    }
    expect(collector.resources[0]).toMatchObject({
      "service.name": "parley",
      "service.version": expect.any(String),
      "service.instance.id": "node-one",
      "deployment.environment.name": "development",
    });
    // Vendors are told nothing of it.
    expect(upstream.calls.every(({ headers }) => headers.traceparent === undefined)).toBe(true);
  });

  test("a caller's traceparent is gone on with, as far as it follows the rules, and its wish not to be traced is heard", async () => {
    const { url, token, process } = await start();
    const ask = (traceparent: string) =>
      fetch(`${url}/trpc/auth.me`, { headers: { authorization: `Bearer ${token}`, traceparent } });
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    for (const header of [
      `00-${traceId}-b7ad6b7169203331-01`,
      `00-${traceId}-b7ad6b7169203331-00`,
      `00-${traceId}-0000000000000000-01`,
      "nonsense",
    ]) {
      expect((await ask(header)).status).toBe(200);
    }
    await expect.poll(() => collector.named("auth.me").length, { timeout: 10_000 }).toBe(3);
    await process.end("SIGTERM");
    const calls = collector.named("auth.me");
    expect(calls.map(({ parentId }) => parentId)).toEqual(["b7ad6b7169203331", null, null]);
    expect(calls[0]?.traceId).toBe(traceId);
    expect(calls.slice(1).every((call) => call.traceId !== traceId)).toBe(true);
  });

  test("a collector that hangs disturbs nobody: two thousand calls go on, memory stays bounded, and what is given up is counted", async () => {
    const { url, token } = await start({ METRICS_TOKEN: "metrics-token" });
    const page = async () => (await fetch(`${url}/metrics`, { headers: { authorization: "Bearer metrics-token" } })).text();
    const counted = (text: string, outcome: string) =>
      Number(new RegExp(`parley_trace_spans_total\\{exporter="otlp",outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
    const list = "chat.conversations.list";
    const ask = async (calls: number) => {
      const path = Array.from({ length: calls }, () => list).join(",");
      const input = JSON.stringify(Object.fromEntries(Array.from({ length: calls }, (_, index) => [index, { json: {} }])));
      const response = await fetch(`${url}/trpc/${path}?batch=1&input=${encodeURIComponent(input)}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.status).toBe(200);
      expect(await response.json()).toHaveLength(calls);
    };
    await ask(1);
    await expect.poll(() => collector.named(list).length, { timeout: 10_000 }).toBe(1);
    const [call] = collector.named(list);
    const steps = collector.spans.filter(({ traceId }) => traceId === call?.traceId).length;
    expect(steps).toBeGreaterThan(1);

    collector.set("hangs");
    for (let round = 0; round < 200; round++) await ask(10);
    // 2,048 wait, and a batch of at most 512 is under way: whatever else there was is neither kept nor hidden. A worker counts it in
    // a batch that follows.
    const least = 2_000 * steps - 2_048 - 512;
    let text = await page();
    const givenUp = async () => {
      text = await page();
      return counted(text, "dropped") + counted(text, "failed");
    };
    await expect.poll(givenUp, { timeout: 10_000 }).toBeGreaterThanOrEqual(least);
    expect(counted(text, "sent")).toBe(collector.spans.length);
  });
});
