import type { Live } from "../live/live.ts";
import { findMessage } from "../messages/queries.ts";
import type { Ports } from "../ports.ts";
import { type AbandonedRun, endRun, takeOverAbandonedRuns } from "../runs/queries.ts";
import type { RunReport } from "../runs/run-report.ts";
import type { Runs } from "../runs/runs.ts";
import type { Settings } from "../settings.ts";
import { receiptOf } from "../tokens/costs.ts";
import { runTopic } from "../topics.ts";
import { announceEnd } from "./announce.ts";

const reapMs = 5_000;
/** Followers may have seen more events than the last checkpoint has: the end comes after all of them. */
const beyondAnyEvent = 1_000_000;

/** Ends the runs of processes that died, with the text that their last checkpoints saved. */
export function startReaper(
  { database, eventLog, background, log }: Pick<Ports, "database" | "eventLog" | "background" | "log">,
  { soleWriter }: Pick<Settings, "soleWriter">,
  { runs, report, live }: { runs: Runs; report: RunReport; live: Live },
) {
  const { epoch } = runs;

  async function interrupt(run: AbandonedRun) {
    const { runId, messageId, seq } = run;
    log.warn({ runId }, "a run was left behind by its process and is now interrupted");
    const outcome = { ...run, status: "interrupted", usage: null, finishReason: null, error: null } as const;
    const ended = await endRun(database, {
      ...outcome,
      epoch,
      seq: seq + beyondAnyEvent,
      context: null,
      receipt: receiptOf(runId, []),
    });
    if (ended) report(runId, outcome, []);
    eventLog.finish(runTopic(runId));
    const [member] = ended?.memberIds ?? [];
    const message = member && (await findMessage(database, member, messageId));
    if (ended && message) announceEnd(live, ended.memberIds, { message, runId, status: "interrupted" });
  }

  async function reap(includingLive: boolean) {
    const abandoned = await takeOverAbandonedRuns(database, { epoch, includingLive, active: runs.activeIds() });
    for (const run of abandoned) await interrupt(run);
  }

  background.every("reap", reapMs, () => reap(false));
  // No other process writes: whatever runs in the database and not here is left behind.
  if (soleWriter) background.run("reap", () => reap(true));
}
