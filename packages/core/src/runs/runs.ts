import type { StopRun } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { AppError } from "../errors.ts";
import type { Generate } from "../generation/generate.ts";
import type { Ports } from "../ports.ts";
import { noRun, readOnly } from "../refusals.ts";
import { underSpan } from "../tracing/traced.ts";
import { takeCheckpoint } from "./checkpoints.ts";
import { checkpointRuns, findRunning, markStopped } from "./queries.ts";
import type { RunPlan } from "./run.ts";
import type { RunReport } from "./run-report.ts";
import { beginRun } from "./run-span.ts";
import { type ActiveRun, createRunWriter, newRun } from "./run-writer.ts";

interface Registered {
  run: ActiveRun;
  /** Resolves when this process has nothing more to do with it. */
  ended: Promise<void>;
}

const checkpointMs = 500;
/** How often a process looks whether another one's run has ended. */
const awaitMs = 500;

export type Runs = ReturnType<typeof createRuns>;

/** The runs that this process writes. Nothing about a run belongs to a connection: it ends by itself, by `stop`, or with this process. */
export function createRuns(
  ports: Pick<Ports, "database" | "eventLog" | "background" | "ids" | "log" | "scopes">,
  { generate, report }: { generate: Generate; report: RunReport },
) {
  const { database, eventLog, background, scopes } = ports;
  /** Whoever lost its lease to the reaper finds another epoch in the row. */
  const epoch = ports.ids.next();
  const write = createRunWriter(ports, { generate, report, epoch });
  const active = new Map<string, Registered>();
  /** Active runs whose starter has left the conversation. */
  const disowned = new Set<string>();
  let isClosing = false;
  let wakeWhenIdle = () => {};

  function leave({ plan, topic, span }: ActiveRun) {
    span?.end();
    active.delete(plan.runId);
    disowned.delete(plan.runId);
    eventLog.finish(topic);
    if (active.size === 0) wakeWhenIdle();
  }

  /** Checkpoint, heartbeat and stop signal in one statement for all runs of this process. */
  async function checkpoint() {
    if (active.size === 0) return;
    const taken = Array.from(active.values(), ({ run }) => ({ run, checkpoint: takeCheckpoint(run.plan.runId, run) }));
    const rows = taken.map(({ checkpoint }) => checkpoint.row);
    const states = new Map((await checkpointRuns(database, epoch, rows)).map((state) => [state.id, state]));
    for (const { run, checkpoint } of taken) {
      const state = states.get(run.plan.runId);
      if (!state) run.abort.abort("fenced");
      else if (state.stopRequested) run.abort.abort("stopped");
      checkpoint.noteSaved();
    }
  }

  background.every("checkpoint", checkpointMs, checkpoint);

  return {
    epoch,
    /** Its `run-start` is in the log before this returns, so that whoever follows next finds the run there. */
    start(plan: RunPlan) {
      const call = scopes.current()?.span;
      const span = call ? beginRun(call, plan) : null;
      const run = newRun(plan, span);
      const ended = (span ? underSpan(scopes, span, () => write(run)) : write(run)).finally(() => leave(run));
      active.set(plan.runId, { run, ended });
      background.run("run", () => ended);
    },
    /** Resolves once a run has ended, here or elsewhere, or the signal aborts. */
    async whenEnded(runId: string, signal: AbortSignal): Promise<void> {
      if (signal.aborted) return;
      let onAbort = () => {};
      const aborted = new Promise<void>((resolve) => {
        onAbort = resolve;
      });
      signal.addEventListener("abort", onAbort);
      try {
        const own = active.get(runId);
        if (own) return await Promise.race([own.ended.catch(() => {}), aborted]);
        // While the database is away nobody knows, and it is asked again.
        const isRunning = async () => (await findRunning(database, [runId]).catch(() => null))?.size !== 0;
        while (!signal.aborted && (await isRunning())) {
          await Promise.race([new Promise((resolve) => setTimeout(resolve, awaitMs)), aborted]);
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    /** For one who is no longer in the conversation: from now on the database is asked who may follow. */
    disown(userId: string, conversationId: string) {
      for (const { run } of active.values()) {
        const { plan } = run;
        if (plan.userId === userId && plan.conversationId === conversationId) disowned.add(plan.runId);
      }
    },
    /** The mark is durable first: whoever writes the run finds it, even if this process dies now. */
    async stop({ userId }: Pick<Actor, "userId">, { runId }: StopRun): Promise<void> {
      const mayStop = await markStopped(database, runId, userId);
      if (mayStop === null) throw noRun();
      if (!mayStop) throw readOnly();
      active.get(runId)?.run.abort.abort("stopped");
    },
    /** The conversation of a run that this process writes for this person. */
    conversationOf(runId: string, userId: string): string | undefined {
      const plan = active.get(runId)?.run.plan;
      return plan?.userId === userId && !disowned.has(runId) ? plan.conversationId : undefined;
    },
    activeIds: () => Array.from(active.keys()),
    isActive: (runId: string) => active.has(runId),
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
      for (const { run } of active.values()) run.abort.abort("interrupted");
    },
  };
}
