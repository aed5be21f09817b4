import type { AppError } from "@parley/core";
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, getTRPCErrorShape } from "@trpc/server";
import type { Context } from "../context.ts";
import { type ApiErrorShape, errorShape, shapeError } from "../errors.ts";
import { type Answer, json, retryAfter } from "./answer.ts";
import type { PlannedCall } from "./trpc-plan.ts";

export type Outcome = { readonly data: unknown } | { readonly error: ApiErrorShape };

/** tRPC's envelopes, through the router's transformer and its error formatter. */
export interface Envelopes {
  one(outcome: Outcome, allow?: string): Answer;
  batch(outcomes: readonly Outcome[], allow?: string): Answer;
  refusal(error: AppError, requestId: string): Answer;
  /** Of whatever was thrown by a call. */
  failed(cause: unknown, context: Context, call: PlannedCall | undefined): Outcome;
  /** Of whatever was thrown before there was a context. */
  failedEarly(cause: unknown, requestId: string, log: Context["services"]["log"]): Outcome;
}

export function createEnvelopes(router: AnyTRPCRouter): Envelopes {
  const config = router._def._config;
  const { serialize } = config.transformer.output;

  const envelope = (outcome: Outcome) =>
    "error" in outcome ? { error: serialize(outcome.error) } : { result: { data: serialize(outcome.data) } };
  const statusOf = (outcome: Outcome) => ("error" in outcome ? outcome.error.data.httpStatus : 200);
  const headersOf = (outcomes: readonly Outcome[], allow: string | undefined): Record<string, string> | undefined => {
    const errors = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.error] : []));
    if (errors.length === 0) return undefined;
    return { ...(allow !== undefined && { allow }), ...retryAfter(errors) };
  };

  function one(outcome: Outcome, allow?: string): Answer {
    const headers = "error" in outcome ? headersOf([outcome], allow) : undefined;
    return { status: statusOf(outcome), type: json, headers, body: JSON.stringify(envelope(outcome)) };
  }

  return {
    one,
    batch(outcomes, allow) {
      const statuses = new Set(outcomes.map(statusOf));
      const [status = 207] = statuses;
      return {
        status: statuses.size === 1 ? status : 207,
        type: json,
        headers: headersOf(outcomes, allow),
        body: JSON.stringify(outcomes.map(envelope)),
      };
    },
    refusal(error, requestId) {
      return one({ error: errorShape(error, requestId) });
    },
    failed(cause, ctx, call) {
      const error = getTRPCErrorFromUnknown(cause);
      const type = call?.procedure?._def.type ?? "unknown";
      return { error: getTRPCErrorShape({ config, error, type, path: call?.path, input: undefined, ctx }) };
    },
    failedEarly(cause, requestId, log) {
      const error = getTRPCErrorFromUnknown(cause);
      const shape = shapeError(error, undefined, undefined);
      // The shape logs with the context's services, and there is none yet.
      if (shape.data.reason === "internal") log.error({ requestId, err: error.cause ?? error }, "no context could be made");
      return { error: { ...shape, data: { ...shape.data, requestId } } };
    },
  };
}
