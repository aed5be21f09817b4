import { startCollector, startSentryIngest } from "@parley/testing";
import { expect, test } from "vitest";
import { createTracer } from "../../shared/tracing/tracer.ts";
import { heldOtlp } from "./held-otlp.ts";
import { heldSentry } from "./held-sentry.ts";
import { createQuietTimes } from "./quiet-times.ts";
import { stackFrames } from "./stack-frames.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const sentryOptions = { release: "parley@1.2.3", environment: "production", node: "workers", wants: () => true };

test("a step that goes on elsewhere is of the same trace, for whom its call is told, and for nobody else", async () => {
  await using collector = await startCollector();
  const options = { url: `${collector.url}/v1/traces`, headers: {}, resource: {}, version: "1", log: silent };
  const here = createTracer([heldOtlp({ ...options, wants: () => true })]);
  const exporter = heldOtlp({ ...options, wants: () => false });
  const elsewhere = createTracer([exporter]);
  const call = here.start("call", { kind: "server", caller: null });
  if (!call) throw new Error("It is not traced");
  const { traceId, id, takers } = call;
  elsewhere.goOn("turn", { kind: "internal" }, { traceId, id, takers })?.end();
  expect(elsewhere.goOn("turn", { kind: "internal" }, { traceId, id, takers: ["sentry"] })).toBeNull();
  await exporter.flush();
  expect(collector.spans).toMatchObject([{ name: "turn", traceId, parentId: id }]);
  expect(exporter.totals).toEqual({ sent: 1, dropped: 0, failed: 0 });
});

test("a collector that refuses for now is sent the same later, and one that refuses for good is not", async () => {
  await using collector = await startCollector();
  const options = { url: `${collector.url}/v1/traces`, headers: {}, resource: {}, version: "1", log: silent };
  const exporter = heldOtlp({ ...options, wants: () => true });
  const tracer = createTracer([exporter]);
  const begin = () => tracer.start("call", { kind: "server", caller: null })?.end();
  collector.set({ status: 503, retryAfterSeconds: 0, times: 1 });
  begin();
  await exporter.flush();
  expect(exporter.totals).toEqual({ sent: 0, dropped: 0, failed: 0 });
  await exporter.flush();
  expect(exporter.totals.sent).toBe(1);
  collector.set({ status: 400, retryAfterSeconds: 0, times: 1 });
  begin();
  await exporter.flush();
  expect(exporter.totals).toEqual({ sent: 1, dropped: 0, failed: 1 });
});

test("an envelope has an error with its class, code and place, and not its message", async () => {
  await using ingest = await startSentryIngest();
  const { exporter, report } = heldSentry({ dsn: ingest.dsn, ...sentryOptions });
  const error = Object.assign(new TypeError("canary"), { code: "42P01" });
  report({ error, sentence: "a call failed", isHandled: true, userId: "someone", tags: { procedure: "chat.send" }, trace: null });
  await exporter.flush();
  expect(ingest.of("event")).toMatchObject([
    {
      level: "error",
      release: "parley@1.2.3",
      server_name: "workers",
      user: { id: "someone" },
      transaction: "chat.send",
      exception: { values: [{ type: "TypeError", value: "42P01", mechanism: { handled: true } }] },
    },
  ]);
  expect(ingest.everything.join()).not.toContain("canary");
});

test("the frames of a stack are told with their places, the innermost last", () => {
  const stack = ["    at async inner (file:///worker.mjs:94:32)", "    at new Outer (worker.mjs:1:2)", "    at worker.mjs:7:8"];
  expect(stackFrames(stack.join("\n"))).toEqual([
    { function: "?", filename: "worker.mjs", lineno: 7, colno: 8, in_app: true },
    { function: "new Outer", filename: "worker.mjs", lineno: 1, colno: 2, in_app: true },
    { function: "inner", filename: "file:///worker.mjs", lineno: 94, colno: 32, in_app: true },
  ]);
});

test("Sentry's limits are kept to, by kind or for all", () => {
  const told = (limits: string | null, status = 200) => {
    const quiet = createQuietTimes();
    const headers = new Headers(limits === null ? {} : { "x-sentry-rate-limits": limits });
    quiet.note({ status, headers, retryAfterMs: undefined });
    return ["error", "transaction"].map(quiet.covers);
  };
  expect(told(null)).toEqual([false, false]);
  expect(told("60:transaction:organization")).toEqual([false, true]);
  expect(told("60::organization")).toEqual([true, true]);
  expect(told("60:error;transaction:key, 5:session:key")).toEqual([true, true]);
  expect(told(null, 429)).toEqual([true, true]);
});
