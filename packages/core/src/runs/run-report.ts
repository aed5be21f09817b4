import type { Attempt } from "@parley/contract/events";
import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";
import type { RunOutcome } from "./run.ts";

type Told = Pick<RunOutcome, "status" | "provider" | "model" | "text" | "usage" | "error">;

/** Tells operators of an answer that has ended, whoever has written it: counted, and one line without a word of it. */
export type RunReport = (runId: string, outcome: Told, attempts: readonly Attempt[]) => void;

export function createRunReport({ log }: Pick<Ports, "log">, { meters }: { meters: Meters }): RunReport {
  return function report(runId, { status, provider, model, text, usage, error }, attempts) {
    meters.runs.add(1, status);
    const line = {
      runId,
      status,
      provider,
      model,
      attempts: attempts.length,
      firstTokenMs: attempts.at(-1)?.firstTokenMs ?? null,
      ms: attempts.reduce((sum, { durationMs }) => sum + durationMs, 0),
      characters: text.length,
      tokens: usage?.output ?? null,
      reason: error?.reason ?? null,
    };
    log.info(line, "run");
  };
}
