import type { GetRun, Run } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { readInstant, readInstantOrNull } from "../database/statement.ts";
import type { RunContext } from "../database/tables/chat.ts";
import type { Ports } from "../ports.ts";
import { noRun } from "../refusals.ts";
import { receiptOf } from "../tokens/costs.ts";
import { findRun, readSentBranch } from "./run-view-queries.ts";
import { findSummary } from "./summary-queries.ts";
import { spoken } from "./window.ts";

export function createRunView({ database }: Pick<Ports, "database">) {
  /** Put together again from what is stored: a message as it was then. */
  async function requestOf(runId: string, context: RunContext): Promise<Run["request"]> {
    const { system, summarisedThrough, isNamed, estimatedTokens, parameters } = context;
    const [{ rows, length }, summary] = await Promise.all([
      readSentBranch(database, { runId, ...context }),
      summarisedThrough === null ? null : findSummary(database, summarisedThrough),
    ]);
    const sent = spoken(rows, isNamed).reverse();
    const messages = sent.map(({ id, role, text }) => ({ id, role, content: text }));
    return { system, summary, messages, omitted: length - sent.length, estimatedTokens, parameters };
  }

  return {
    /** A run as its members see it; what its model was asked is for who asked. */
    async get(actor: Actor, { runId }: GetRun): Promise<Run> {
      const run = await findRun(database, { runId, userId: actor.userId });
      if (!run) throw noRun();
      const { attempts, context, startedAt, endedAt, ...rest } = run;
      return {
        ...rest,
        startedAt: readInstant(startedAt),
        endedAt: readInstantOrNull(endedAt),
        receipt: receiptOf(runId, attempts),
        request: context && (await requestOf(runId, context)),
      };
    },
  };
}
