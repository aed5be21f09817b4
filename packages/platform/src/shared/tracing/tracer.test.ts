import type { Span } from "@parley/core/ports";
import { expect, test } from "vitest";
import type { FinishedSpan, SpanExporter } from "./finished-span.ts";
import { sampleBy } from "./sampling.ts";
import { readTraceparent } from "./trace-ids.ts";
import { createTracer } from "./tracer.ts";

function open(wants: SpanExporter["wants"] = () => true) {
  const spans: FinishedSpan[] = [];
  const totals = { sent: 0, dropped: 0, failed: 0 };
  const exporter: SpanExporter = { name: "list", totals, wants, add: (span) => void spans.push(span), close: async () => {} };
  const tracer = createTracer([exporter]);
  return { spans, start: (caller: string | null = null) => tracer.start("call", { kind: "server", caller }) };
}

function begun(span: Span | null): Span {
  if (!span) throw new Error("It is not traced");
  return span;
}

const step = { kind: "client", failure: null } as const;

test("children are of their parent's trace and segment, a branch begins a segment of its own", () => {
  const { spans, start } = open();
  const call = begun(start());
  const child = call.child("child", { kind: "client" });
  const branch = call.branch("run", { kind: "internal" });
  call.past("statement", { ...step, startedAt: performance.now() });
  child.end();
  call.end();
  branch.past("later", { ...step, startedAt: performance.now() });
  branch.end();
  expect(spans.map(({ name, parentId, segmentId }) => [name, parentId, segmentId])).toEqual([
    ["statement", call.id, call.id],
    ["child", call.id, call.id],
    ["call", null, call.id],
    ["later", branch.id, branch.id],
    ["run", call.id, branch.id],
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(spans.map(({ id }) => id)).size).toBe(5);
});

test("what is over stays as it was: a second end says nothing, and a subscription gathers nothing", () => {
  const { spans, start } = open();
  const call = begun(start());
  call.end();
  call.end();
  call.past("statement", { ...step, startedAt: performance.now() });
  expect(spans).toHaveLength(1);
});

test("a loop of statements is told as far as somebody reads, and then counted", () => {
  const { spans, start } = open();
  const call = begun(start());
  for (let index = 0; index < 1_000; index++) call.past("statement", { ...step, startedAt: performance.now() });
  call.end();
  expect(spans).toHaveLength(201);
  expect(spans.at(-1)?.attributes).toEqual({ "parley.steps.left_out": 800 });
});

test.each([
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true],
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true],
  ["01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true],
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false],
  ["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false],
  ["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false],
  ["00-00000000000000000000000000000000-b7ad6b7169203331-01", false],
  ["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false],
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false],
  ["", false],
])("traceparent %s is taken: %s", (header, isTaken) => {
  expect(readTraceparent(header) !== null).toBe(isTaken);
});

const sampled = `00-${"f".repeat(32)}-b7ad6b7169203331-01`;
const unsampled = `00-${"f".repeat(32)}-b7ad6b7169203331-00`;
test.each([
  ["always_on", unsampled, true],
  ["always_off", sampled, false],
  ["parentbased_always_on", unsampled, false],
  ["parentbased_always_off", sampled, true],
  ["parentbased_always_off", null, false],
  ["parentbased_traceidratio", sampled, true],
  ["parentbased_traceidratio", unsampled, false],
  // The highest of all ids is in every share but none.
  ["traceidratio", unsampled, true],
] as const)("%s with %s: %s", (sampler, caller, isTaken) => {
  expect(open(sampleBy(sampler, 0.001)).start(caller) !== null).toBe(isTaken);
});

test("a share is taken by the id alone, so that every service takes the same", () => {
  const wants = sampleBy("traceidratio", 0.25);
  const id = (first: string) => `${"0".repeat(18)}${first}${"0".repeat(12)}`;
  expect(["00", "bf", "c0", "ff"].map((first) => wants(id(first), null))).toEqual([false, false, true, true]);
});
