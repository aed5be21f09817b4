import type { ErrorReason } from "@parley/contract/errors";
import type { Attempt, ModelRef, RunError } from "@parley/contract/events";
import type { Budget, Budgets } from "../budgets/budgets.ts";
import { internalError, toAppError } from "../errors.ts";
import type { Meters } from "../metrics/meters.ts";
import type { OfferedModel } from "../models/models.ts";
import { type GenerateRequest, thoughtTokens } from "../models/provider.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { spentBy } from "../tokens/costs.ts";
import { estimateRequest } from "../tokens/estimate.ts";
import { type AnswerSink, type AttemptOutcome, makeAttempt } from "./attempt.ts";
import { beginAttempt, endAttempt } from "./attempt-span.ts";
import type { Health } from "./health.ts";
import type { Throttle } from "./throttle.ts";
import { concernsKey, concernsRequest, describeTrouble } from "./troubles.ts";

/** A request before it is known who answers it. Null leaves the choice to the provider. */
export interface Prompt extends Omit<GenerateRequest, "model" | "maxTokens"> {
  maxTokens: number | null;
}

export interface Generation {
  runId: string;
  userId: string;
  budget: Budget | null;
  /** Who is asked, one after the other. */
  chain: readonly [OfferedModel, ...OfferedModel[]];
  prompt: Prompt;
  /** After its first words an answer may be begun again by another model, where the caller asked for that. */
  mayFailOver: boolean;
  signal: AbortSignal;
}

export interface GenerationSink extends AnswerSink {
  /** All that was said is void: another model begins again. */
  failOver(from: ModelRef, to: ModelRef, reason: ErrorReason): void;
}

export interface Generated {
  model: OfferedModel;
  attempts: Attempt[];
  finishReason: string | null;
  error: RunError | null;
}

const triesPerModel = 3;
const firstPauseMs = 250;

export type Generate = ReturnType<typeof createGenerate>;

/**
 * Gets one answer from a chain of models. Until the first word, other keys, other tries and other models come in without the
 * reader's notice; the receipt has them all. After it, an answer that breaks off has failed, with its text kept.
 */
export function createGenerate(
  { clock, log, scopes }: Pick<Ports, "clock" | "log" | "scopes">,
  { generation: { deadlines, retryMs } }: Settings,
  { health, budgets, meters, throttle }: { health: Health; budgets: Budgets; meters: Meters; throttle: Throttle },
) {
  return async function generate(generation: Generation, sink: GenerationSink): Promise<Generated> {
    const { runId, chain, prompt, signal, mayFailOver } = generation;
    const attempts: Attempt[] = [];
    const giveUpAt = clock.now().getTime() + retryMs;
    /** The last one that was called, or could not be. */
    let tried = await ask(chain[0]);

    for (const model of chain.slice(1)) {
      const { outcome, error } = tried;
      if (signal.aborted || error === null) break;
      const isOver = outcome?.hasSpoken && (!mayFailOver || outcome.hasCalledTool);
      if (isOver || outcome?.failure?.trouble === "content_filter" || clock.now().getTime() > giveUpAt) break;
      tried = await ask(model, tried);
    }
    const { model, outcome, error } = tried;
    return { model, attempts, finishReason: outcome?.finishReason ?? null, error: signal.aborted ? null : error };

    /** One model, with every key that is free and a few tries. */
    async function ask(model: OfferedModel, before?: Tried): Promise<Tried> {
      // A model that cannot be called takes nothing over: what was said before it stands.
      let mine: Tried | undefined;
      const refused = (error: RunError) => mine ?? (before?.outcome ? before : { model, outcome: null, error });
      for (let tries = 1; ; ) {
        const taken = health.take(model);
        if (typeof taken === "string") return refused(describeTrouble(taken));
        const { key } = taken;
        const request = requestFor(model, prompt);
        const refusal = await admit(model, key, request);
        if (refusal || signal.aborted) {
          health.abandoned(model);
          if (refusal === "limited" && clock.now().getTime() < giveUpAt) continue;
          return refused(refusal && refusal !== "limited" ? refusal : describeTrouble("rate"));
        }
        if (!mine && before?.outcome) takeOver(before, before.outcome, model);
        const outcome = await call(model, key, request);
        const { failure } = outcome;
        mine = { model, outcome, error: failure && describeTrouble(failure.trouble) };
        if (!failure || signal.aborted || outcome.hasSpoken || concernsRequest(failure.trouble)) return mine;
        if (clock.now().getTime() > giveUpAt) return mine;
        if (concernsKey(failure.trouble)) continue;
        const pause = Math.max(failure.retryAfterMs ?? 0, firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
        if (++tries > triesPerModel || clock.now().getTime() + pause > giveUpAt) return mine;
        await sleep(pause, signal);
        if (signal.aborted) return mine;
      }
    }

    function takeOver({ model, error }: Tried, outcome: AttemptOutcome, next: OfferedModel) {
      outcome.attempt.outcome = "failed_over";
      const [from, to] = [refOf(model), refOf(next)];
      log.warn({ runId, from, to, trouble: outcome.failure?.trouble }, "another model takes over");
      scopes.current()?.span?.event("another model takes over");
      if (outcome.hasSpoken) sink.failOver(from, to, error?.reason ?? "provider_unavailable");
    }

    async function call(model: OfferedModel, key: number, request: GenerateRequest): Promise<AttemptOutcome> {
      const parent = scopes.current()?.span;
      const span = parent && beginAttempt(parent, model, { key, request });
      const outcome = await makeAttempt({ target: model, key, request, deadlines, signal, clock }, sink);
      if (span) endAttempt(span, outcome);
      attempts.push(outcome.attempt);
      meters.attempt(outcome.attempt);
      throttle.note(model.provider, key, outcome.attempt.tokens.output);
      const { failure } = outcome;
      if (signal.aborted) health.abandoned(model);
      else if (!failure) health.succeeded(model);
      else {
        const { trouble, status } = failure;
        log.warn({ runId, model: model.model.id, key: key + 1, trouble, status, err: failure }, "a model failed");
        health.failed(model, key, failure);
      }
      return outcome;
    }

    /** Our own limits, then the budget, which cuts the answer to what there is room for. */
    async function admit(model: OfferedModel, key: number, request: GenerateRequest): Promise<RunError | "limited" | null> {
      const { provider, model: offered } = model;
      const { budget, userId } = generation;
      if (!budget && !throttle.limits(provider)) return null;
      const inputTokens = estimateRequest(request);
      const waitMs = await throttle.take(provider, key, inputTokens);
      if (waitMs !== null) {
        log.warn(
          { runId, provider: provider.name, key: key + 1, waitMs },
          "our own limit for a key is reached (RATE_LIMIT_PROVIDER_*)",
        );
        health.failed(model, key, { trouble: "rate", retryAfterMs: waitMs });
        return "limited";
      }
      if (!budget) return null;
      try {
        const { prices } = offered;
        const wish = { runId, userId, budget, spent: spentBy(attempts), inputTokens, maxTokens: request.maxTokens, prices };
        request.maxTokens = await budgets.hold(wish);
        return null;
      } catch (error) {
        // Whatever it is, the calls before this one have been made and are charged.
        const { reason, message } = toAppError(error) ?? internalError();
        if (reason === "internal") log.error({ runId, err: error }, "a budget could not be held");
        return { reason, message };
      }
    }
  };
}

interface Tried {
  model: OfferedModel;
  /** Null for one that could not be called. */
  outcome: AttemptOutcome | null;
  error: RunError | null;
}

/** The longest answer that a model is asked for. */
export function mostOutput({ provider, model }: OfferedModel, prompt: Pick<Prompt, "maxTokens" | "reasoning">): number {
  const thoughts = thoughtTokens[model.reasoning ? prompt.reasoning : "off"];
  const wanted = prompt.maxTokens ?? provider.defaults.maxTokens + thoughts;
  return Math.min(wanted, model.outputLimit ?? Number.POSITIVE_INFINITY);
}

function requestFor(offered: OfferedModel, prompt: Prompt): GenerateRequest {
  const { vendorModelId, model } = offered;
  const { defaults } = offered.provider;
  return {
    ...prompt,
    model: vendorModelId,
    tools: model.tools ? prompt.tools : [],
    reasoning: model.reasoning ? prompt.reasoning : "off",
    temperature: prompt.temperature ?? defaults.temperature,
    topP: prompt.topP ?? defaults.topP,
    topK: prompt.topK ?? defaults.topK,
    maxTokens: mostOutput(offered, prompt),
  };
}

const refOf = ({ model }: OfferedModel): ModelRef => ({ provider: model.provider, model: model.id });

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(finish, milliseconds);
    function finish() {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    }
    signal.addEventListener("abort", finish);
  });
}
