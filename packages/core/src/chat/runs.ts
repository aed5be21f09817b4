import type { Attempt, Receipt, RunError, RunEvent, RunStatus, TokenCounts } from "@parley/contract/events";
import { AppError } from "../errors.ts";
import type { GenerateRequest, Ports, Provider } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { formatPosition } from "./positions.ts";
import { checkpointRuns, endRun, interruptAbandonedRuns, type ReapedRun } from "./run-queries.ts";
import { createStorableText } from "./storable-text.ts";

type RunPorts = Pick<Ports, "database" | "eventLog" | "background" | "clock" | "ids" | "log">;

export interface RunPlan {
  runId: string;
  messageId: string;
  conversationId: string;
  userId: string;
  provider: Provider;
  /** Who is told that the run has ended. */
  onEnd: (end: RunOutcome) => void;
  /** Gathered in the background: the caller of `send` does not wait for the history. */
  request: () => Promise<GenerateRequest>;
  model: string;
}

export interface RunOutcome {
  status: RunStatus;
  text: string;
  reasoning: string;
  usage: TokenCounts;
  finishReason: string | null;
  error: RunError | null;
}

/** Postgres counts characters where JavaScript counts halves of surrogate pairs too. */
interface Extent {
  length: number;
  characters: number;
}

const nothing: Extent = { length: 0, characters: 0 };

function extent(text: string, before: Extent): Extent {
  const added = text.slice(before.length);
  const pairs = added.match(/[\ud800-\udbff]/g)?.length ?? 0;
  return { length: text.length, characters: before.characters + added.length - pairs };
}

/** A run that this process writes. */
interface ActiveRun {
  readonly plan: RunPlan;
  readonly abort: AbortController;
  seq: number;
  text: string;
  reasoning: string;
  /** How far the last checkpoint got: the next one sends what came after. */
  saved: { text: Extent; reasoning: Extent };
}

export const runTopic = (runId: string) => `run:${runId}`;

const checkpointMs = 500;
const reapMs = 5_000;

export type Runs = ReturnType<typeof createRuns>;

/** The writer of answers. Nothing about a run belongs to a connection: it ends by itself, by `stop`, or with this process. */
export function createRuns(ports: RunPorts, settings: Settings, onReaped: (run: ReapedRun) => void) {
  const { database, eventLog, background, clock, log } = ports;
  /** Whoever lost its lease to the reaper finds another epoch in the row. */
  const epoch = ports.ids.next();
  const active = new Map<string, ActiveRun>();
  let isClosing = false;
  let wakeWhenIdle = () => {};

  function append(run: ActiveRun, event: RunEvent) {
    run.seq++;
    const id = formatPosition({ seq: run.seq, text: run.text.length, reasoning: run.reasoning.length });
    eventLog.append(runTopic(run.plan.runId), event, { seq: run.seq, id });
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

  /** One attempt. The vendor's own `end` makes a completion; a stream that just stops does not. */
  async function attempt(run: ActiveRun): Promise<RunOutcome & { attempt: Attempt }> {
    const { provider, model } = run.plan;
    const startedAt = clock.now().getTime();
    const text = createStorableText();
    const reasoning = createStorableText();
    let usage: TokenCounts | null = null;
    let firstTokenMs: number | null = null;
    let finishReason: string | null = null;
    let error: RunError | null = null;
    try {
      const request = await run.plan.request();
      for await (const event of provider.stream(request, { key: 0, signal: run.abort.signal })) {
        if (event.type === "text") {
          firstTokenMs ??= clock.now().getTime() - startedAt;
          appendText(run, text.add(event.text));
        } else if (event.type === "reasoning") appendReasoning(run, reasoning.add(event.text));
        else if (event.type === "usage") usage = event.tokens;
        else if (event.type === "end") finishReason = event.finishReason;
      }
      if (finishReason === null && !run.abort.signal.aborted) {
        error = { reason: "provider_unavailable", message: "The answer broke off" };
      }
    } catch (cause) {
      if (!run.abort.signal.aborted) {
        log.warn({ runId: run.plan.runId, provider: provider.name, model, err: cause }, "a provider failed");
        error =
          cause instanceof AppError
            ? { reason: cause.reason, message: cause.message }
            : { reason: "provider_unavailable", message: "The model could not answer" };
      }
    }
    appendText(run, text.rest());
    appendReasoning(run, reasoning.rest());
    const status = run.abort.signal.aborted ? abortedAs(run) : error ? "failed" : "completed";
    const tokens = usage ?? { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
    return {
      status,
      text: run.text,
      reasoning: run.reasoning,
      usage: tokens,
      finishReason,
      error,
      attempt: {
        provider: provider.name,
        model,
        outcome: status === "interrupted" ? "failed" : status,
        tokens,
        estimated: usage === null,
        costMicros: null,
        firstTokenMs,
        durationMs: clock.now().getTime() - startedAt,
      },
    };
  }

  async function write(run: ActiveRun) {
    const { runId, messageId, conversationId, provider, model, onEnd } = run.plan;
    const { attempt: made, ...outcome } = await attempt(run);
    const receipt: Receipt = { runId, attempts: [made], total: { tokens: made.tokens, costMicros: made.costMicros } };
    const won = await persistently(() =>
      endRun(database, {
        runId,
        messageId,
        conversationId,
        epoch,
        provider: provider.name,
        model,
        receipt,
        seq: run.seq,
        ...outcome,
      }),
    );
    // A writer that was fenced has nothing more to say: its followers read the end from what is saved.
    if (!won) return;
    const { status, finishReason, error } = outcome;
    append(run, { type: "run-end", status, finishReason, length: run.text.length, receipt, ...(error && { error }) });
    onEnd(outcome);
  }

  function leave({ plan }: ActiveRun) {
    active.delete(plan.runId);
    eventLog.finish(runTopic(plan.runId));
    if (active.size === 0) wakeWhenIdle();
  }

  /** The database may be away for a moment: a finished answer waits for it. */
  async function persistently<Result>(save: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await save();
      } catch (error) {
        log.error({ err: error, tries }, "an answer could not be saved yet");
        if (tries === 60) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(250 * tries, 5_000)));
      }
    }
  }

  /** Checkpoint, heartbeat and stop signal in one statement for all runs of this process. */
  async function checkpoint() {
    if (active.size === 0) return;
    const taken = Array.from(active.values(), (run) => ({
      run,
      upTo: { seq: run.seq, text: run.text, reasoning: run.reasoning },
    }));
    const rows = taken.map(({ run: { plan, saved }, upTo }) => ({
      id: plan.runId,
      seq: upTo.seq,
      text: upTo.text.slice(saved.text.length),
      text_at: saved.text.characters,
      reasoning: upTo.reasoning.slice(saved.reasoning.length),
      reasoning_at: saved.reasoning.characters,
    }));
    const states = new Map((await checkpointRuns(database, epoch, rows)).map((state) => [state.id, state]));
    for (const { run, upTo } of taken) {
      const state = states.get(run.plan.runId);
      if (!state) run.abort.abort("fenced");
      else if (state.stopRequested) run.abort.abort("stopped");
      run.saved = { text: extent(upTo.text, run.saved.text), reasoning: extent(upTo.reasoning, run.saved.reasoning) };
    }
  }

  async function reap(includingLive = false) {
    const reaped = await interruptAbandonedRuns(database, { epoch, includingLive });
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
      const { runId, messageId, conversationId, provider, model } = plan;
      const run: ActiveRun = {
        plan,
        abort: new AbortController(),
        seq: 0,
        text: "",
        reasoning: "",
        saved: { text: nothing, reasoning: nothing },
      };
      active.set(runId, run);
      append(run, { type: "run-start", runId, messageId, conversationId, provider: provider.name, model, attempt: 1 });
      background.run("run", () => write(run).finally(() => leave(run)));
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
