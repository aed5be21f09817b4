import { officialTraces } from "@parley/testing/official-traces";
import { expect, test } from "vitest";
import type { FinishedSpan } from "./finished-span.ts";
import { otlpTraces } from "./otlp-json.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const base: FinishedSpan = {
  traceId,
  id: "b7ad6b7169203331",
  parentId: null,
  isRemotelyCalled: false,
  segmentId: "b7ad6b7169203331",
  name: "chat.send",
  kind: "server",
  startMs: 1_790_000_000_000,
  endMs: 1_790_000_000_012.5,
  attributes: {},
  events: [],
  failure: null,
};

const spans: FinishedSpan[] = [
  base,
  { ...base, id: "00f067aa0ba902b7", parentId: "a2fb4a1d1a96d312", isRemotelyCalled: true },
  { ...base, id: "00f067aa0ba902b8", parentId: base.id, kind: "internal", name: "run", failure: "provider_unavailable" },
  {
    ...base,
    id: "00f067aa0ba902b9",
    parentId: "00f067aa0ba902b8",
    kind: "client",
    name: "chat gpt-4o",
    attributes: {
      text: 'שלום 🙂 "\n',
      whole: 12,
      large: 2 ** 40,
      negative: -3,
      zero: 0,
      half: 0.5,
      yes: true,
      no: false,
      list: ["stop", ""],
    },
    events: [{ name: "first token", atMs: 1_790_000_000_003.25 }],
  },
];

const resource = { "service.name": "parley", "service.version": "0.1.0" };
const scope = { name: "parley", version: "0.1.0" };

test("what is sent is what OpenTelemetry's own serializer makes of the same spans", () => {
  const ours: unknown = JSON.parse(JSON.stringify(otlpTraces(spans, resource, scope)));
  expect(spansOf(withoutDefaults(ours))).toEqual(spansOf(withoutDefaults(officialTraces(spans, resource, scope))));
  expect(spansOf(withoutDefaults(ours))).toHaveLength(spans.length);
});

interface Sent {
  resourceSpans: { resource: unknown; scopeSpans: { scope: unknown; spans: { spanId: string }[] }[] }[];
}

/** Each with its resource and scope, whatever they are grouped by. */
function spansOf(sent: unknown) {
  const { resourceSpans } = sent as Sent;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ resource, scope, span }))),
  );
}

/** In protobuf's JSON, what has its type's default may be left out. What a value is of must stay. */
function withoutDefaults(value: unknown, isValue = false): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutDefaults(entry));
  if (typeof value !== "object" || value === null) return value;
  const isDefault = (entry: unknown) =>
    entry === 0 || entry === "" || (Array.isArray(entry) && entry.length === 0) || isEmpty(entry);
  const entries = Object.entries(value).map(([key, entry]) => [key, withoutDefaults(entry, key === "value")] as const);
  return Object.fromEntries(entries.filter(([, entry]) => isValue || !isDefault(entry)));
}

const isEmpty = (entry: unknown) => typeof entry === "object" && entry !== null && Object.keys(entry).length === 0;
