import type { Answering, Message } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { Context } from "../context/context.ts";
import type { BranchRow } from "../context/queries.ts";
import { findMemberIds } from "../conversations/member-queries.ts";
import type { Live } from "../live/live.ts";
import type { OfferedModel } from "../models/models.ts";
import type { Ports } from "../ports.ts";
import { finished } from "../runs/records.ts";
import type { Runs } from "../runs/runs.ts";
import type { Titles } from "../tasks/titles.ts";
import { announceAnswer, announceEnd, announceGone } from "./announce.ts";
import type { ClaimedTurn, NewAnswer } from "./queries.ts";
import { answerOf } from "./records.ts";

/** Who may answer, chosen before anything is written: meanwhile a vendor may take a model away. */
interface Candidates {
  fallbacks: OfferedModel[];
  offered: ReadonlyMap<string, OfferedModel>;
}

interface ClaimedAnswer extends NewAnswer {
  conversationId: string;
  claimed: ClaimedTurn;
  /** What it answers. */
  question: BranchRow;
  /** Other answers to the same. */
  siblingIds: string[];
}

/** Starts what a turn has claimed: everybody is told, and the answer is written in the background. */
export function createAnswers(
  { background, database }: Pick<Ports, "background" | "database">,
  parts: { budgets: Budgets; context: Context; titles: Titles; live: Live; runs: Runs },
) {
  const { budgets, context, titles, live, runs } = parts;
  return {
    start(actor: Actor, answer: ClaimedAnswer, { candidates, input }: { candidates: Candidates; input: Answering }): Message {
      const { conversationId, messageId, runId, claimed, question, siblingIds } = answer;
      const chosen = candidates.offered.get(claimed.model);
      if (!chosen) throw new Error(`A turn was written with the model ${claimed.model}, which was not on offer`);
      const { provider, id: model } = chosen.model;
      const others = new Map(candidates.fallbacks.map((fallback) => [fallback.model.id, fallback]));
      others.delete(model);
      const payer = { userId: actor.userId, budget: budgets.budgetOf(actor) };
      const chain = [chosen, ...others.values()] as const;
      const { temperature = null, topP = null, topK = null, maxTokens = null, reasoning = "off" } = input;
      const parameters = { temperature, topP, topK, maxTokens, reasoning };
      const createdAt = new Date(claimed.createdAt);
      const place = { conversationId, parentId: question.id, provider, model, createdAt, siblingIds };
      const message = answerOf(answer, place);
      announceAnswer(live, claimed.memberIds, { message, runId, model });
      runs.start({
        runId,
        messageId,
        conversationId,
        ...payer,
        chain,
        mayFailOver: input.failover ?? false,
        gather: (signal) =>
          context.gather({ ...payer, conversationId, question, system: claimed.systemPrompt, chain, parameters, signal }),
        onEnd(end, { memberIds, parentId, siblingIds }) {
          const siblings = { ids: siblingIds, index: siblingIds.indexOf(messageId) };
          const ended = { ...finished(message, end), parentId, siblings };
          announceEnd(live, memberIds, { message: ended, runId, status: end.status });
          if (question.parentId === null) titles.think({ ...payer, conversationId, chain, question: question.content, end });
        },
        onGone: () =>
          background.run("tell of an answer that is gone", async () => {
            announceGone(live, await findMemberIds(database, conversationId), { conversationId, messageId, runId });
          }),
      });
      return message;
    },
  };
}
