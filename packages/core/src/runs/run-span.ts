import type { Attempt } from "@parley/contract/events";
import type { Span } from "../ports.ts";
import type { RunOutcome, RunPlan } from "./run.ts";

/** A child of the call that began it, which it outlives: one trace then tells of both. */
export function beginRun(call: Span, { runId, conversationId, userId, chain }: RunPlan): Span {
  const { provider, id } = chain[0].model;
  return call.branch("run", {
    kind: "internal",
    attributes: {
      "parley.run.id": runId,
      "gen_ai.conversation.id": conversationId,
      "user.id": userId,
      "parley.provider": provider,
      "parley.model": id,
    },
  });
}

export function noteEnd(span: Span, { status, provider, model, error }: RunOutcome, attempts: readonly Attempt[]): void {
  span.set({ "parley.status": status, "parley.provider": provider, "parley.model": model, "parley.attempts": attempts.length });
  if (status === "failed") span.fail(error?.reason ?? "internal");
}
