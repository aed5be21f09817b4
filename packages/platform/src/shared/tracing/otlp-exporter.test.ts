import { type Collector, collectingLog, startCollector } from "@parley/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { otlpExporter } from "./otlp-exporter.ts";
import { sampleBy } from "./sampling.ts";
import { createTracer } from "./tracer.ts";

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.stop());

function open({ url = collector.url, sampler = "always_on" as const, delayMs = 1, timeoutMs = 5_000 } = {}) {
  const log = collectingLog();
  const exporter = otlpExporter({
    url: `${url}/v1/traces`,
    headers: {},
    resource: { "service.name": "test" },
    version: "1.2.3",
    wants: sampleBy(sampler, 1),
    log,
    delayMs,
    timeoutMs,
  });
  const tracer = createTracer([exporter]);
  const begin = (name: string) => {
    const span = tracer.start(name, { kind: "server", caller: null });
    if (!span) throw new Error("It is not traced");
    return span;
  };
  return { exporter, total: exporter.totals, log, begin };
}

test("what waits at the end is handed on, in batches of at most 512, and nothing after it", async () => {
  const { exporter, total, begin } = open({ delayMs: 60_000 });
  for (let index = 0; index < 1_100; index++) begin("call").end();
  await exporter.close(10_000);
  expect(collector.spans).toHaveLength(1_100);
  expect(new Set(collector.spans.map(({ id }) => id)).size).toBe(1_100);
  for (const { body } of collector.requests)
    expect(JSON.parse(body).resourceSpans[0].scopeSpans[0].spans.length).toBeLessThanOrEqual(512);
  begin("late").end();
  expect(total).toEqual({ sent: 1_100, dropped: 1, failed: 0 });
});

test("a collector that is overloaded is asked again when it says, and one line says so", async () => {
  collector.set({ status: 503, retryAfterSeconds: 0, times: 2 });
  const { exporter, total, log, begin } = open();
  begin("call").end();
  await expect.poll(() => collector.spans.length).toBe(1);
  expect(collector.requests).toHaveLength(3);
  await exporter.close(1_000);
  expect(total).toEqual({ sent: 1, dropped: 0, failed: 0 });
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ["warn", { trouble: "503" }],
    ["info", {}],
  ]);
});

test.each([400, 401, 500, 307])("a batch that is refused (%i) is given up: the next one may be better", async (status) => {
  collector.set({ status });
  const { exporter, total, begin } = open();
  begin("first").end();
  await expect.poll(() => total.failed).toBe(1);
  expect(collector.requests).toHaveLength(1);
  collector.set("takes");
  begin("second").end();
  await exporter.close(5_000);
  expect(collector.spans.map(({ name }) => name)).toEqual(["second"]);
});

test("what a collector takes without some of it is counted as it says", async () => {
  const { exporter, total, begin } = open({ delayMs: 60_000 });
  for (let index = 0; index < 3; index++) begin("call").end();
  collector.set({ rejects: 2 });
  await exporter.close(5_000);
  expect(total).toEqual({ sent: 1, dropped: 0, failed: 2 });
});

test("a collector that is away, or hangs, costs a bounded queue, and the end of the process a moment", async () => {
  const away = open({ url: "http://127.0.0.1:1" });
  collector.set("hangs");
  const hanging = open({ timeoutMs: 60_000 });
  for (const { begin, exporter, total } of [away, hanging]) {
    for (let index = 0; index < 4_000; index++) begin("call").end();
    expect(total.dropped).toBeGreaterThanOrEqual(4_000 - 2_048 - 512);
    await exporter.close(50);
    expect(total.sent).toBe(0);
    expect(total.dropped + total.failed).toBe(4_000);
  }
});
