import type { ErrorReason } from "@parley/contract/errors";
import { faults } from "../metrics/faults.ts";
import type { Ports } from "../ports.ts";
import type { Span } from "./span.ts";

interface Call {
  procedure: string;
  requestId: string;
  userId: string | null;
  transport: "http" | "websocket";
  /** The caller's W3C `traceparent`. */
  caller: string | null;
}

/** Null where calls are not traced. */
export function createCallSpans({ tracer }: Pick<Ports, "tracer">) {
  if (!tracer) return null;
  return {
    begin({ procedure, requestId, userId, transport, caller }: Call): Span | null {
      return tracer.start(procedure, {
        kind: "server",
        caller,
        attributes: {
          "rpc.system": "trpc",
          "rpc.method": procedure,
          "network.protocol.name": transport,
          "parley.request.id": requestId,
          ...(userId !== null && { "user.id": userId }),
        },
      });
    },
    /** What a caller did wrong is told, and is no failure of ours. */
    end(span: Span, reason: ErrorReason | null) {
      if (reason !== null) span.set({ "parley.reason": reason });
      if (reason !== null && faults.has(reason)) span.fail(reason);
      span.end();
    },
  };
}
