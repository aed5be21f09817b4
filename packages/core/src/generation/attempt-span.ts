import type { OfferedModel } from "../models/models.ts";
import type { GenerateRequest } from "../models/provider.ts";
import type { Span } from "../tracing/span.ts";
import type { AttemptOutcome } from "./attempt.ts";

/** One call to a vendor, in the words of OpenTelemetry's conventions for generative models, without a word that was said. */
export function beginAttempt(
  parent: Span,
  { provider, model }: OfferedModel,
  { key, request }: { key: number; request: GenerateRequest },
): Span {
  return parent.child(`chat ${request.model}`, {
    kind: "client",
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": provider.name,
      "gen_ai.request.model": request.model,
      "gen_ai.request.max_tokens": request.maxTokens,
      "parley.model": model.id,
      // A position: core knows no key.
      "parley.key": key + 1,
    },
  });
}

export function endAttempt(span: Span, { attempt, finishReason, failure }: AttemptOutcome): void {
  const { outcome, tokens, estimated, firstTokenMs, costMicros } = attempt;
  span.set({
    "gen_ai.usage.input_tokens": tokens.input + tokens.cacheRead + tokens.cacheWrite,
    "gen_ai.usage.cache_read.input_tokens": tokens.cacheRead,
    "gen_ai.usage.cache_creation.input_tokens": tokens.cacheWrite,
    "gen_ai.usage.output_tokens": tokens.output,
    "parley.usage.estimated": estimated,
    "parley.outcome": outcome,
    ...(finishReason !== null && { "gen_ai.response.finish_reasons": [finishReason] }),
    ...(costMicros !== null && { "parley.cost.micros": costMicros }),
    ...(failure?.status !== undefined && { "http.response.status_code": failure.status }),
  });
  if (firstTokenMs !== null) {
    span.set({ "gen_ai.response.time_to_first_chunk": firstTokenMs / 1_000 });
    span.event("first token", firstTokenMs);
  }
  if (failure) span.fail(failure.trouble);
  span.end();
}
