import type { Attributes } from "@parley/core/ports";
import type { FinishedSpan } from "./finished-span.ts";

/** In the JSON of OTLP, which differs from protobuf's in one thing: ids are hex. */
export function otlpTraces(spans: readonly FinishedSpan[], resource: Attributes, scope: { name: string; version: string }) {
  return { resourceSpans: [{ resource: { attributes: fieldsOf(resource) }, scopeSpans: [{ scope, spans: spans.map(spanOf) }] }] };
}

const kinds = { internal: 1, server: 2, client: 3 };
/** Sampled; whether the parent is remote is known, and is so. */
const flags = { sampled: 0x1, isRemoteKnown: 0x100, isRemote: 0x200 };
const failed = 2;

function spanOf(span: FinishedSpan) {
  const { traceId, id, parentId, isRemotelyCalled, name, kind, startMs, endMs, attributes, events, failure } = span;
  return {
    traceId,
    spanId: id,
    ...(parentId !== null && { parentSpanId: parentId }),
    flags: flags.sampled | flags.isRemoteKnown | (isRemotelyCalled ? flags.isRemote : 0),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: fieldsOf(attributes),
    ...(events.length > 0 && { events: events.map(({ name, atMs }) => ({ timeUnixNano: nanoseconds(atMs), name })) }),
    status: failure === null ? {} : { code: failed, message: failure },
  };
}

function fieldsOf(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Attributes[string]) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value };
  return { arrayValue: { values: value.map((entry) => ({ stringValue: entry })) } };
}

/** As text: more than a number can hold exactly. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.min(999_999, Math.round((milliseconds - whole) * 1_000_000));
  return `${whole}${String(rest).padStart(6, "0")}`;
}
