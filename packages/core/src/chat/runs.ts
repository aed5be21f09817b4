import type { Attempt, RunError, RunEvent, RunStatus, TokenCounts } from "@parley/contract/events";
import type { Actor } from "../auth/actor.ts";
import type { Budget } from "../budgets/budgets.ts";
import type { Failover } from "../database/tables/chat.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Generate, Generated, GenerationSink, Prompt } from "../generation/generate.ts";
import type { OfferedModel } from "../models/models.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { receiptOf, sumOf } from "../tokens/costs.ts";
import { nothingSaved, takeCheckpoint, type Written } from "./checkpoints.ts";
import { formatPosition } from "./positions.ts";
import { chargeVanishedRun, checkpointRuns, endRun, interruptAbandonedRuns, markStopped, type ReapedRun } from "./run-queries.ts";
import { createStorableText, type StorableText } from "./storable-text.ts";

type RunPorts = Pick<Ports, "database" | "eventLog" | "background" | "ids" | "log">;

export interface RunPlan {
  runId: string;
  messageId: string;
  conversationId: string;
  userId: string;
  budget: Budget | null;
  /** Who is asked, one after the other. */
  chain: readonly [OfferedModel, ...OfferedModel[]];
  mayFailOver: boolean;
  /** Who is told that the run has ended. */
  onEnd: (end: RunOutcome) => void;
  /** Gathered in the background: the caller of `send` does not wait for the history. */
  prompt: () => Promise<Prompt>;
}

export interface RunOutcome {
  status: RunStatus;
  /** Who answered in the end. */
  provider: string;
  model: string;
  text: string;
  reasoning: string;
  usage: TokenCounts;
  finishReason: string | null;
  error: RunError | null;
}

/** A run that this process writes. */
interface ActiveRun extends Written {
  readonly plan: RunPlan;
  /** Made once: a name that is put together anew is hashed anew, for every token. */
  readonly topic: string;
  readonly abort: AbortController;
  storable: { text: StorableText; reasoning: StorableText };
}

export const runTopic = (runId: string) => `run:${runId}`;

const checkpointMs = 500;
const reapMs = 5_000;

export type Runs = ReturnType<typeof createRuns>;

/** The writer of answers. Nothing about a run belongs to a connection: it ends by itself, by `stop`, or with this process. */
export function createRuns(
  ports: RunPorts,
  settings: Settings,
  { generate, onReaped }: { generate: Generate; onReaped: (run: ReapedRun) => void },
) {
  const { database, eventLog, background, log } = ports;
  /** Whoever lost its lease to the reaper finds another epoch in the row. */
  const epoch = ports.ids.next();
  const active = new Map<string, ActiveRun>();
  let isClosing = false;
  let wakeWhenIdle = () => {};

  function append(run: ActiveRun, event: RunEvent) {
    run.seq++;
    const id = formatPosition({
      seq: run.seq,
      text: run.text.length,
      reasoning: run.reasoning.length,
      failovers: run.failovers.length,
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
    run.storable = { text: createStorableText(), reasoning: createStorableText() };
    run.failovers.push(failover);
    append(run, { type: "failover", ...failover, keepThrough: 0 });
  }

  async function answer(run: ActiveRun): Promise<RunOutcome & { attempts: Attempt[] }> {
    const { runId, userId, budget, chain, mayFailOver, prompt } = run.plan;
    const { signal } = run.abort;
    const sink: GenerationSink = {
      text: (text) => appendText(run, run.storable.text.add(text)),
      reasoning: (text) => appendReasoning(run, run.storable.reasoning.add(text)),
      // As JSON says it: what travels to followers knows no -0.
      toolCall: ({ callId, name, input }) =>
        append(run, { type: "tool-call", callId, name, input: JSON.parse(JSON.stringify(input ?? {})) }),
      failOver: (from, to, reason) => failOver(run, { from, to, reason }),
    };
    let made: Generated;
    try {
      made = await generate({ runId, userId, budget, chain, mayFailOver, signal, prompt: await prompt() }, sink);
    } catch (cause) {
      log.error({ runId, err: cause }, "an answer could not be asked for");
      const error = toAppError(cause) ?? new AppError("internal", "Something went wrong");
      made = { model: chain[0], attempts: [], finishReason: null, error: { reason: error.reason, message: error.message } };
    }
    appendText(run, run.storable.text.rest());
    appendReasoning(run, run.storable.reasoning.rest());
    const { attempts, finishReason, error } = made;
    const { provider, id: model } = made.model.model;
    const status = signal.aborted ? abortedAs(run) : error ? "failed" : "completed";
    const { text, reasoning } = run;
    return { status, text, reasoning, provider, model, usage: sumOf(attempts).tokens, finishReason, error, attempts };
  }

  async function write(run: ActiveRun) {
    const { runId, messageId, conversationId, onEnd } = run.plan;
    const { attempts, ...outcome } = await answer(run);
    const receipt = receiptOf(runId, attempts);
    const won = await persistently(() =>
      endRun(database, { runId, messageId, conversationId, epoch, receipt, seq: run.seq, failovers: run.failovers, ...outcome }),
    );
    // A writer that was fenced has nothing more to say: its followers read the end from what is saved.
    if (!won) return chargeVanishedRun(database, { ...receipt, userId: run.plan.userId });
    const { status, finishReason, error } = outcome;
    append(run, { type: "run-end", status, finishReason, length: run.text.length, receipt, ...(error && { error }) });
    onEnd(outcome);
  }

  function leave({ plan, topic }: ActiveRun) {
    active.delete(plan.runId);
    eventLog.finish(topic);
    if (active.size === 0) wakeWhenIdle();
  }

  /** The database may be away for a moment: a finished answer waits for it. */
  async function persistently<Result>(save: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await save();
      } catch (error) {
        log.error({ err: error, tries }, "an answer could not be saved yet");
        // What is wrong with the answer itself does not pass: it is left to the reaper, with the text of the last checkpoint.
        if (tries === (toAppError(error) ? 60 : 3)) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(250 * tries, 5_000)));
      }
    }
  }

  /** Checkpoint, heartbeat and stop signal in one statement for all runs of this process. */
  async function checkpoint() {
    if (active.size === 0) return;
    const taken = Array.from(active.values(), (run) => ({ run, checkpoint: takeCheckpoint(run.plan.runId, run) }));
    const rows = taken.map(({ checkpoint }) => checkpoint.row);
    const states = new Map((await checkpointRuns(database, epoch, rows)).map((state) => [state.id, state]));
    for (const { run, checkpoint } of taken) {
      const state = states.get(run.plan.runId);
      if (!state) run.abort.abort("fenced");
      else if (state.stopRequested) run.abort.abort("stopped");
      checkpoint.noteSaved();
    }
  }

  async function reap(includingLive = false) {
    const reaped = await interruptAbandonedRuns(database, { epoch, includingLive, active: Array.from(active.keys()) });
    for (const run of reaped) {
      log.warn({ runId: run.runId }, "a run was left behind by its process and is now interrupted");
      onReaped(run);
    }
  }

  background.every("checkpoint", checkpointMs, checkpoint);
  background.every("reap", reapMs, reap);
  if (settings.soleWriter) background.run("reap", () => reap(true));

  return {
    epoch,
    /** Appends `run-start` before it returns, so that whoever follows next finds the run in the log. */
    start(plan: RunPlan) {
      const { runId, messageId, conversationId, chain } = plan;
      const run: ActiveRun = {
        plan,
        topic: runTopic(runId),
        abort: new AbortController(),
        seq: 0,
        text: "",
        reasoning: "",
        storable: { text: createStorableText(), reasoning: createStorableText() },
        failovers: [],
        saved: nothingSaved,
      };
      active.set(runId, run);
      const { provider, id: model } = chain[0].model;
      append(run, { type: "run-start", runId, messageId, conversationId, provider, model, attempt: 1 });
      background.run("run", () => write(run).finally(() => leave(run)));
    },
    /** The mark is durable first: whoever writes the run finds it, even if this process dies now. */
    async stop(actor: Pick<Actor, "userId">, runId: string): Promise<void> {
      const role = await markStopped(database, runId, actor.userId);
      if (role === null) throw new AppError("not_found", "This run does not exist");
      if (role === "viewer") throw new AppError("forbidden", "You may read this conversation, but not write in it");
      active.get(runId)?.abort.abort("stopped");
    },
    /** The person who started a run that this process writes. */
    starter: (runId: string) => active.get(runId)?.plan.userId,
    count: () => active.size,
    /** Asked before a turn is written. */
    checkOpen() {
      if (isClosing) throw new AppError("unavailable", "The server is restarting: send it again", { retryAfterMs: 2_000 });
    },
    refuseNew() {
      isClosing = true;
    },
    async settled() {
      while (active.size > 0) {
        await new Promise<void>((resolve) => {
          wakeWhenIdle = resolve;
        });
      }
    },
    /** Ends what is still being written, with its text kept. */
    interrupt() {
      for (const run of active.values()) run.abort.abort("interrupted");
    },
  };
}

function abortedAs(run: ActiveRun): "stopped" | "interrupted" {
  return run.abort.signal.reason === "stopped" ? "stopped" : "interrupted";
}
