import type { AppRouter } from "@parley/api/types";
import type { Operation, OperationResultEnvelope, TRPCClientError } from "@trpc/client";

/** A subscription that is made anew goes on after the last event that has come. */
export function resuming(op: Operation) {
  let { input } = op;
  return {
    op: (): Operation => ({ ...op, input }),
    note({ result }: OperationResultEnvelope<unknown, TRPCClientError<AppRouter>>) {
      if (result.type === "data" && result.id) input = { ...Object(input), lastEventId: result.id };
    },
  };
}
