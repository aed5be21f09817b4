import type { Attempt, TokenCounts } from "@parley/contract/events";
import type { OfferedModel } from "../models/models.ts";
import { type FinishReason, type GenerateRequest, ProviderError, type ProviderEvent } from "../models/provider.ts";
import type { Clock } from "../ports.ts";
import { costOf, noTokens } from "../tokens/costs.ts";
import { estimateRequest, estimateTokens } from "../tokens/estimate.ts";
import { type Deadlines, watchDeadlines } from "./deadlines.ts";

/** What a reader gets of a model's answer, as it comes. */
export interface AnswerSink {
  text(text: string): void;
  reasoning(text: string): void;
  toolCall(call: Extract<ProviderEvent, { type: "tool-call" }>): void;
}

export interface AttemptOutcome {
  attempt: Attempt;
  finishReason: FinishReason | null;
  failure: ProviderError | null;
  /** The reader has had something of it. */
  hasSpoken: boolean;
  hasCalledTool: boolean;
}

interface Heard {
  firstTokenMs: number | null;
  usage: TokenCounts | null;
  finishReason: FinishReason | null;
  hasCalledTool: boolean;
  /** For the estimate, should the vendor not count. */
  written: string;
}

interface Call {
  target: OfferedModel;
  key: number;
  request: GenerateRequest;
  deadlines: Deadlines;
  signal: AbortSignal;
  clock: Clock;
}

/** One call to a vendor. The vendor's own `end` makes a completion; a stream that just stops does not. */
export async function makeAttempt(
  { target, key, request, deadlines, signal, clock }: Call,
  sink: AnswerSink,
): Promise<AttemptOutcome> {
  const { provider, model } = target;
  const startedAt = clock.now().getTime();
  const heard: Heard = { firstTokenMs: null, usage: null, finishReason: null, hasCalledTool: false, written: "" };
  let failure: ProviderError | null = null;
  const spoke = () => {
    heard.firstTokenMs ??= clock.now().getTime() - startedAt;
  };

  const watch = watchDeadlines(provider.isLocal ? { ...deadlines, firstByteMs: deadlines.localFirstByteMs } : deadlines, signal);
  try {
    await provider.stream(request, { key, signal: watch.signal }, (event) => {
      watch.signs++;
      switch (event.type) {
        case "text":
          if (event.text !== "") spoke();
          heard.written += event.text;
          sink.text(event.text);
          break;
        case "reasoning":
          if (event.text !== "") spoke();
          heard.written += event.text;
          sink.reasoning(event.text);
          break;
        case "tool-call":
          spoke();
          heard.hasCalledTool = true;
          sink.toolCall(event);
          break;
        case "tool-input":
          heard.written += event.text;
          break;
        case "usage":
          heard.usage = counted(event.tokens) ?? heard.usage;
          break;
        case "end":
          heard.finishReason = event.finishReason;
          break;
        case "ping":
          break;
      }
    });
    if (heard.finishReason === null) failure = new ProviderError("cut", "The stream stopped without its end");
  } catch (cause) {
    failure = cause instanceof ProviderError ? cause : new ProviderError("invalid_stream", "The adapter failed", { cause });
  } finally {
    watch.stop();
  }
  const { firstTokenMs, usage, finishReason, hasCalledTool, written } = heard;
  // What goes wrong after the vendor's last word takes nothing from it.
  if (finishReason === "content_filter") failure = new ProviderError("content_filter", "The vendor withheld the answer");
  else if (finishReason !== null) failure = null;
  // A connection that breaks once the vendor has begun is a stream that was cut.
  if (failure?.trouble === "network" && watch.signs > 0) failure = new ProviderError("cut", failure.message, { cause: failure });
  if (watch.missed && finishReason === null) failure = new ProviderError("timeout", watch.missed);
  if (signal.aborted) failure = null;

  const isCounted = usage !== null && finishReason !== null;
  // A vendor that had begun when its caller left will want to be paid for the question.
  const hasBegun = signal.aborted && watch.signs > 0;
  const isCharged = usage !== null || firstTokenMs !== null || finishReason !== null || hasBegun;
  const tokens = isCounted || !isCharged ? (usage ?? noTokens) : estimate(usage, request, written);
  return {
    attempt: {
      provider: provider.name,
      model: model.id,
      outcome: signal.reason === "stopped" ? "stopped" : failure || signal.aborted ? "failed" : "completed",
      ...(failure && { trouble: failure.trouble }),
      tokens,
      estimated: isCharged && !isCounted,
      costMicros: costOf(tokens, model.prices),
      firstTokenMs,
      durationMs: clock.now().getTime() - startedAt,
    },
    finishReason,
    failure,
    hasSpoken: firstTokenMs !== null,
    hasCalledTool,
  };
}

const mostTokens = 1_000_000_000;

/** A count that no answer can have is none. */
function counted(tokens: TokenCounts): TokenCounts | null {
  const isCount = (count: number) => Number.isInteger(count) && count >= 0 && count <= mostTokens;
  return Object.values(tokens).every(isCount) ? tokens : null;
}

/** What a vendor that broke off, or never counts, must have taken. */
function estimate(usage: TokenCounts | null, request: GenerateRequest, written: string): TokenCounts {
  const asked = usage ?? { ...noTokens, input: estimateRequest(request) };
  return { ...asked, output: Math.max(asked.output, estimateTokens(written)) };
}
