import type { Event, Exception } from "@sentry/core";
import type { Report } from "./reporting-log.ts";

/** All that Sentry is told of an error. */
export function eventOf({ isHandled, userId, tags, trace }: Report, exceptions: Exception[]): Event {
  return {
    level: isHandled ? "error" : "fatal",
    logger: "parley",
    exception: { values: exceptions },
    tags,
    ...(userId !== undefined && { user: { id: userId } }),
    ...(trace && { contexts: { trace: { trace_id: trace.traceId, span_id: trace.id } } }),
    ...(tags.procedure !== undefined && { transaction: tags.procedure }),
  };
}
