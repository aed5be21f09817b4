import type { SpanJSON, TransactionEvent } from "@sentry/core";
import type { FinishedSpan } from "../tracing/finished-span.ts";

/** Segments that are under way: what is beyond is not kept, and comes to Sentry without its steps. */
const mostSegments = 2_000;
const mostSpans = 300;

/** Gathers the steps of a segment until its topmost span, the last to end, makes a transaction of them. */
export function createSegments(onWhole: (segment: TransactionEvent) => void) {
  const segments = new Map<string, FinishedSpan[]>();
  return {
    add(span: FinishedSpan) {
      const { id, segmentId } = span;
      const steps = segments.get(segmentId);
      if (id === segmentId) {
        segments.delete(id);
        onWhole(transactionOf(span, steps ?? []));
      } else if (steps) {
        if (steps.length < mostSpans) steps.push(span);
      } else if (segments.size < mostSegments) {
        segments.set(segmentId, [span]);
      }
    },
  };
}

function transactionOf(span: FinishedSpan, steps: readonly FinishedSpan[]): TransactionEvent {
  const { attributes, name, startMs, endMs } = span;
  const { trace_id, span_id, parent_span_id, op, status, origin, data } = spanOf(span);
  const trace = { trace_id, span_id, ...(parent_span_id !== undefined && { parent_span_id }), op, status, origin, data };
  return {
    type: "transaction",
    transaction: name,
    transaction_info: { source: "custom" },
    start_timestamp: startMs / 1_000,
    timestamp: endMs / 1_000,
    contexts: { trace },
    ...(typeof attributes["user.id"] === "string" && { user: { id: attributes["user.id"] } }),
    spans: steps.map(spanOf),
  };
}

function spanOf(span: FinishedSpan): SpanJSON {
  const { traceId, id, parentId, name, startMs, endMs, attributes, failure } = span;
  return {
    trace_id: traceId,
    span_id: id,
    ...(parentId !== null && { parent_span_id: parentId }),
    op: operationOf(span),
    description: name,
    start_timestamp: startMs / 1_000,
    timestamp: endMs / 1_000,
    status: failure === null ? "ok" : "internal_error",
    origin: "manual",
    data: dataOf(attributes),
  };
}

/** As Sentry sorts them. */
function operationOf({ kind, attributes, name }: FinishedSpan): string {
  if ("db.system.name" in attributes) return "db.query";
  if ("gen_ai.request.model" in attributes) return "gen_ai.chat";
  if (kind === "server") return "rpc.server";
  return name.startsWith("task ") ? "task" : "run";
}

function dataOf(attributes: FinishedSpan["attributes"]): SpanJSON["data"] {
  const data: SpanJSON["data"] = {};
  for (const [key, value] of Object.entries(attributes)) data[key] = typeof value === "object" ? [...value] : value;
  return data;
}
