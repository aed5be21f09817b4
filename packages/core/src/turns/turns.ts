import type { Answering, Regenerate, SendAccepted, SendMessage } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { Context } from "../context/context.ts";
import { findMembership } from "../conversations/queries.ts";
import { AppError, invalidField } from "../errors.ts";
import type { Live } from "../live/live.ts";
import { findMessage } from "../messages/queries.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Models } from "../models/models.ts";
import type { Ports } from "../ports.ts";
import type { Typing } from "../presence/typing.ts";
import { noConversation, noMessage, noMessageHere, readOnly } from "../refusals.ts";
import type { RunReport } from "../runs/run-report.ts";
import type { Runs } from "../runs/runs.ts";
import type { Settings } from "../settings.ts";
import type { Titles } from "../tasks/titles.ts";
import { createAnswers } from "./answers.ts";
import { type EarlierClaim, findEarlierClaim, sweepClaims } from "./claim-queries.ts";
import { claimFirstTurn, claimNextTurn, claimRegeneration, type NewAnswer, type Turn } from "./queries.ts";
import { startReaper } from "./reaper.ts";
import { firstWords, hashBody, newConversation, questionOf } from "./records.ts";

const sweepMs = 60 * 60_000;

export function createTurns(
  ports: Ports,
  settings: Settings,
  parts: {
    models: Models;
    budgets: Budgets;
    context: Context;
    titles: Titles;
    runs: Runs;
    report: RunReport;
    live: Live;
    typing: Typing;
    meters: Meters;
  },
) {
  const { database, background, ids } = ports;
  const { models, budgets, runs, report, live, typing, meters } = parts;
  const answers = createAnswers(ports, parts);

  /** Who may answer, or why nobody may. */
  async function candidatesFor(
    actor: Actor,
    input: Answering,
    { isAnswered, isFirst }: { isAnswered: boolean; isFirst: boolean },
  ) {
    runs.checkOpen();
    const fallbacks = models.fallbacks(actor.plan, input.fallbacks);
    const { choice, offered } = models.choices(actor.plan, input.model, isFirst);
    if (isAnswered) await budgets.checkLeft(actor);
    return { choice, candidates: { fallbacks, offered } };
  }

  /** What was accepted once stays accepted, whatever has become of models, plans and budgets. */
  async function unlessClaimed<Result>(actor: Actor, clientMessageId: string, work: () => Promise<Result>) {
    try {
      return await work();
    } catch (refusal) {
      const claim = await findEarlierClaim(database, actor.userId, clientMessageId);
      if (!claim) throw refusal;
      return { claim };
    }
  }

  async function send(actor: Actor, input: SendMessage): Promise<SendAccepted> {
    if (input.content.length > settings.messageMaxLength) {
      throw invalidField("content", `A message has at most ${settings.messageMaxLength} characters`);
    }
    const { clientMessageId } = input;
    const bodyHash = hashBody(input);
    const isAnswered = input.answer !== false;
    const isFirst = input.conversationId === undefined;
    const prepared = await unlessClaimed(actor, clientMessageId, () => candidatesFor(actor, input, { isAnswered, isFirst }));
    if ("claim" in prepared) return acceptAgain(actor, prepared.claim, bodyHash);
    const turn: Turn = {
      userId: actor.userId,
      conversationId: input.conversationId ?? ids.next(),
      clientMessageId,
      bodyHash,
      messageId: ids.next(),
      content: input.content,
      parentId: input.parentId ?? null,
      replyToId: input.replyToId ?? null,
      answer: isAnswered ? newAnswer() : null,
      model: prepared.choice,
    };
    const title = firstWords(input.content);
    const claimed = isFirst ? await claimFirstTurn(database, turn, title) : await claimNextTurn(database, turn);
    if (!claimed) {
      const claim = await findEarlierClaim(database, actor.userId, clientMessageId);
      return claim ? acceptAgain(actor, claim, bodyHash) : refuse(actor, turn, isFirst);
    }

    meters.messages.add(1);
    const message = questionOf(actor, turn, claimed);
    const { conversationId, answer } = turn;
    if (isFirst)
      live.tell(claimed.memberIds, { type: "conversation-created", conversation: newConversation(turn, claimed, title) });
    live.tell(claimed.memberIds, { type: "message-created", message });
    typing.end(actor.userId, conversationId);
    if (answer) {
      const question = { ...message, authorId: actor.userId, authorName: claimed.authorName };
      const place = { conversationId, claimed, question, siblingIds: [] };
      answers.start(actor, { ...answer, ...place }, { candidates: prepared.candidates, input });
    }
    return { conversationId, message, answer: accepted(answer) };
  }

  async function regenerate(actor: Actor, input: Regenerate): Promise<SendAccepted> {
    const clientMessageId = input.clientMessageId ?? ids.next();
    const bodyHash = hashBody(input);
    const prepared = await unlessClaimed(actor, clientMessageId, () =>
      candidatesFor(actor, input, { isAnswered: true, isFirst: false }),
    );
    if ("claim" in prepared) return acceptAgain(actor, prepared.claim, bodyHash);
    const { userId } = actor;
    const { messageId: targetId } = input;
    const answer = newAnswer();
    const claimed = await claimRegeneration(database, {
      userId,
      clientMessageId,
      bodyHash,
      targetId,
      answer,
      model: prepared.choice,
    });
    if (!claimed) {
      const claim = await findEarlierClaim(database, userId, clientMessageId);
      return claim ? acceptAgain(actor, claim, bodyHash) : refuseAgain(actor, targetId);
    }
    const { conversationId, question, siblingIds } = claimed;
    const place = { conversationId, claimed, question, siblingIds: siblingIds ?? [] };
    const message = answers.start(actor, { ...answer, ...place }, { candidates: prepared.candidates, input });
    return { conversationId, message, answer: accepted(answer) };
  }

  const newAnswer = (): NewAnswer => ({ messageId: ids.next(), runId: ids.next(), epoch: runs.epoch });

  /** The same message again. */
  async function acceptAgain(actor: Actor, claim: EarlierClaim, bodyHash: string): Promise<SendAccepted> {
    if (claim.bodyHash !== bodyHash) {
      throw new AppError("idempotency_mismatch", "Another message was sent with this clientMessageId");
    }
    const message = await findMessage(database, actor.userId, claim.messageId);
    if (!message) throw noMessage();
    const answer = claim.answerId && claim.runId ? { messageId: claim.answerId, runId: claim.runId } : null;
    return { conversationId: claim.conversationId, message, answer };
  }

  async function refuse(actor: Actor, turn: Turn, isFirst: boolean): Promise<never> {
    if (isFirst) throw new AppError("conflict", "The message could not be saved: send it again");
    const role = await findMembership(database, actor.userId, turn.conversationId);
    if (role === null) throw noConversation();
    if (role === "viewer") throw readOnly();
    throw noMessageHere();
  }

  async function refuseAgain(actor: Actor, messageId: string): Promise<never> {
    const message = await findMessage(database, actor.userId, messageId);
    if (!message) throw noMessage();
    const role = await findMembership(database, actor.userId, message.conversationId);
    if (role === "viewer") throw readOnly();
    throw new AppError("conflict", "There is nothing here to answer");
  }

  startReaper(ports, settings, { runs, report, live });
  background.every("sweep send claims", sweepMs, () => sweepClaims(database));

  return { send, regenerate };
}

function accepted(answer: NewAnswer | null): SendAccepted["answer"] {
  return answer && { messageId: answer.messageId, runId: answer.runId };
}
