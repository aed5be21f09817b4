import type { Attempt, Receipt, RunEvent } from "@parley/contract/events";
import { chargeFencedRun, chargeWithoutRun } from "../budgets/queries.ts";
import type { Failover, ToolMark } from "../database/tables/chat.ts";
import { internalError, toAppError } from "../errors.ts";
import type { Generate, Generated, GenerationSink } from "../generation/generate.ts";
import type { Ports, Span } from "../ports.ts";
import { createStorableText, type StorableText } from "../storable-text.ts";
import { receiptOf, sumOf } from "../tokens/costs.ts";
import { runTopic } from "../topics.ts";
import { type AnswerSoFar, nothingSaved } from "./checkpoints.ts";
import { formatPosition } from "./positions.ts";
import { endRun } from "./queries.ts";
import type { RunOutcome, RunPlan } from "./run.ts";
import type { RunReport } from "./run-report.ts";
import { noteEnd } from "./run-span.ts";

/** A run that this process writes. */
export interface ActiveRun extends AnswerSoFar {
  readonly plan: RunPlan;
  /** Made once: a name that is put together anew is hashed anew, for every token. */
  readonly topic: string;
  readonly abort: AbortController;
  /** Null where it is not traced. */
  readonly span: Span | null;
  storable: { text: StorableText; reasoning: StorableText };
}

export function newRun(plan: RunPlan, span: Span | null): ActiveRun {
  return {
    plan,
    topic: runTopic(plan.runId),
    abort: new AbortController(),
    span,
    seq: 0,
    text: "",
    reasoning: "",
    storable: newStorable(),
    failovers: [],
    tools: [],
    context: null,
    saved: nothingSaved,
  };
}

/** Writes an answer from its first event to its end. */
export function createRunWriter(
  { database, eventLog, log }: Pick<Ports, "database" | "eventLog" | "log">,
  { generate, report, epoch }: { generate: Generate; report: RunReport; epoch: string },
) {
  function append(run: ActiveRun, event: RunEvent) {
    run.seq++;
    const id = formatPosition({
      seq: run.seq,
      text: run.text.length,
      reasoning: run.reasoning.length,
      failovers: run.failovers.length,
      tools: run.tools.length,
      isWithin: false,
    });
    eventLog.append(run.topic, event, { seq: run.seq, id });
  }

  function appendText(run: ActiveRun, text: string) {
    if (text === "") return;
    const offset = run.text.length;
    run.text += text;
    append(run, { type: "text-delta", offset, text });
  }

  function appendReasoning(run: ActiveRun, text: string) {
    if (text === "") return;
    const offset = run.reasoning.length;
    run.reasoning += text;
    append(run, { type: "reasoning-delta", offset, text });
  }

  /** All that was said is void, and another model begins again: followers drop it too. */
  function failOver(run: ActiveRun, failover: Failover) {
    run.text = "";
    run.reasoning = "";
    run.saved = nothingSaved;
    run.storable = newStorable();
    run.tools.length = 0;
    run.failovers.push(failover);
    append(run, { type: "failover", ...failover, keepThrough: 0 });
  }

  function appendTool(run: ActiveRun, part: ToolMark["part"]) {
    run.tools.push({ text: run.text.length, reasoning: run.reasoning.length, part });
    append(run, part);
  }

  async function answer(run: ActiveRun): Promise<RunOutcome & { attempts: Attempt[] }> {
    const { runId, userId, budget, chain, mayFailOver } = run.plan;
    const { signal } = run.abort;
    const sink: GenerationSink = {
      text: (text) => appendText(run, run.storable.text.add(text)),
      reasoning: (text) => appendReasoning(run, run.storable.reasoning.add(text)),
      // As JSON says it: what travels to followers knows no -0.
      toolCall: ({ callId, name, input }) =>
        appendTool(run, { type: "tool-call", callId, name, input: JSON.parse(JSON.stringify(input ?? {})) }),
      failOver: (from, to, reason) => failOver(run, { from, to, reason }),
    };
    let made: Generated;
    try {
      const { prompt, context } = await persistently("a request could not be put together yet", () => run.plan.gather(signal));
      run.context = context;
      made = await generate({ runId, userId, budget, chain, mayFailOver, signal, prompt }, sink);
    } catch (cause) {
      log.error({ runId, err: cause }, "an answer could not be asked for");
      const error = toAppError(cause) ?? internalError();
      made = { model: chain[0], attempts: [], finishReason: null, error: { reason: error.reason, message: error.message } };
    }
    appendText(run, run.storable.text.rest());
    appendReasoning(run, run.storable.reasoning.rest());
    const { attempts, finishReason, error } = made;
    const { provider, id: model } = made.model.model;
    const status = signal.aborted ? abortedAs(run) : error ? "failed" : "completed";
    const { text, reasoning, tools } = run;
    return { status, text, reasoning, tools, provider, model, usage: sumOf(attempts).tokens, finishReason, error, attempts };
  }

  /** The database may be away for a moment: an answer waits for it. */
  async function persistently<Result>(trouble: string, work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        log.error({ err: error, tries }, trouble);
        const { reason } = toAppError(error) ?? { reason: "internal" };
        // What is wrong with the answer itself does not pass: it is left to the reaper, with the text of the last checkpoint.
        if (tries === (mostTries[reason] ?? 1)) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(250 * tries, 5_000)));
      }
    }
  }

  /** What was asked of a model costs, also when somebody else has ended the run, or its message is gone. */
  async function chargeLate({ plan: { userId, onGone } }: ActiveRun, receipt: Receipt) {
    if (await chargeFencedRun(database, receipt)) return;
    await chargeWithoutRun(database, { ...receipt, userId });
    onGone();
  }

  /** Nothing is waited for before `run-start` is in the log. */
  return async function write(run: ActiveRun): Promise<void> {
    const { runId, messageId, conversationId, chain, onEnd } = run.plan;
    const { provider, id: model } = chain[0].model;
    append(run, { type: "run-start", runId, messageId, conversationId, provider, model, attempt: 1 });
    const { attempts, ...outcome } = await answer(run);
    const receipt = receiptOf(runId, attempts);
    const { seq, failovers, context } = run;
    const ended = await persistently("an answer could not be saved yet", () =>
      endRun(database, { runId, messageId, conversationId, epoch, receipt, seq, failovers, context, ...outcome }),
    );
    // A writer that was fenced has nothing more to say: its followers read the end from what is saved.
    if (!ended) return chargeLate(run, receipt);
    const { status, finishReason, error } = outcome;
    if (run.span) noteEnd(run.span, outcome, attempts);
    append(run, { type: "run-end", status, finishReason, length: run.text.length, receipt, ...(error && { error }) });
    report(runId, outcome, attempts);
    onEnd(outcome, ended);
  };
}

const mostTries: Record<string, number> = { unavailable: 60, internal: 3 };

const newStorable = () => ({ text: createStorableText(), reasoning: createStorableText() });

function abortedAs(run: ActiveRun): "stopped" | "interrupted" {
  return run.abort.signal.reason === "stopped" ? "stopped" : "interrupted";
}
