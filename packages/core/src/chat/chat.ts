import type {
  Conversation,
  ConversationPage,
  ListConversations,
  ListMessages,
  MessagePage,
  SendAccepted,
  SendMessage,
  StopRun,
} from "@parley/contract";
import type { LiveEvent } from "@parley/contract/events";
import type { Actor } from "../auth/actor.ts";
import type { Budgets } from "../budgets/budgets.ts";
import { AppError } from "../errors.ts";
import type { Generate, Prompt } from "../generation/generate.ts";
import type { Models, OfferedModel } from "../models/models.ts";
import type { ModelMessage, Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { formatCursor, parseCursor } from "./cursors.ts";
import { createFollow, userTopic } from "./follow.ts";
import { findConversation, findMembership, findMessage, listBranch, listConversations } from "./queries.ts";
import { createRuns } from "./runs.ts";
import {
  type ClaimedTurn,
  claimFirstTurn,
  claimNextTurn,
  type EarlierClaim,
  findEarlierClaim,
  sweepClaims,
  type Turn,
} from "./turn-queries.ts";
import { answerOf, finished, firstWords, hashBody, newConversation, questionOf } from "./turn-records.ts";

const conversationsPerPage = 20;
const messagesPerPage = 50;
/** What a model is given of a long conversation. */
const historyLength = 100;
const sweepMs = 60 * 60_000;

interface Prepared {
  turn: Turn;
  fallbacks: OfferedModel[];
  offered: ReadonlyMap<string, OfferedModel>;
}

export type Chat = ReturnType<typeof createChat>;

export function createChat(
  ports: Ports,
  settings: Settings,
  { models, generate, budgets }: { models: Models; generate: Generate; budgets: Budgets },
) {
  const { database, eventLog, background, ids } = ports;
  const runs = createRuns(ports, settings, {
    generate,
    onReaped: ({ memberIds, ...run }) => tell(memberIds, { type: "run-ended", ...run, status: "interrupted" }),
  });
  const { follow, live } = createFollow(ports, runs);

  function tell(userIds: readonly string[], event: LiveEvent) {
    for (const userId of userIds) eventLog.append(userTopic(userId), event);
  }

  async function send(actor: Actor, input: SendMessage): Promise<SendAccepted> {
    if (input.content.length > settings.messageMaxLength) {
      const message = `A message has at most ${settings.messageMaxLength} characters`;
      throw new AppError("invalid_input", message, { issues: [{ path: "content", message }] });
    }
    const prepared = await prepare(actor, input).catch(async (refusal) => {
      // What was accepted once stays accepted, whatever has become of models, plans and budgets.
      const claim = await findEarlierClaim(database, actor.userId, input.clientMessageId);
      if (!claim) throw refusal;
      return claim;
    });
    if (!("turn" in prepared)) return acceptAgain(actor, prepared, hashBody(input));
    const { turn } = prepared;
    const title = firstWords(input.content);
    const isFirst = input.conversationId === undefined;
    const claimed = isFirst ? await claimFirstTurn(database, turn, title) : await claimNextTurn(database, turn);
    if (!claimed) {
      const claim = await findEarlierClaim(database, actor.userId, turn.clientMessageId);
      return claim ? acceptAgain(actor, claim, turn.bodyHash) : refuse(actor, turn, isFirst);
    }

    const message = questionOf(actor, turn, claimed);
    if (isFirst) tell(claimed.memberIds, { type: "conversation-created", conversation: newConversation(turn, claimed, title) });
    tell(claimed.memberIds, { type: "message-created", message });
    if (turn.answer) startAnswer(actor, prepared, { answer: turn.answer, claimed, input, isFirst });
    return { conversationId: turn.conversationId, message, answer: acceptedAnswer(turn.answer) };
  }

  /** All that can refuse a message before anything of it is written. */
  async function prepare(actor: Actor, input: SendMessage): Promise<Prepared> {
    runs.checkOpen();
    const fallbacks = models.fallbacks(actor.plan, input.fallbacks);
    const { choice, offered } = models.choices(actor.plan, input.model);
    const turn: Turn = {
      userId: actor.userId,
      conversationId: input.conversationId ?? ids.next(),
      clientMessageId: input.clientMessageId,
      bodyHash: hashBody(input),
      messageId: ids.next(),
      content: input.content,
      parentId: input.parentId ?? null,
      answer: input.answer === false ? null : { messageId: ids.next(), runId: ids.next(), epoch: runs.epoch },
      model: choice,
    };
    if (turn.answer) await budgets.checkLeft(actor);
    return { turn, fallbacks, offered };
  }

  function startAnswer(
    actor: Actor,
    { turn, fallbacks, offered }: Prepared,
    {
      answer,
      claimed,
      input,
      isFirst,
    }: { answer: NonNullable<Turn["answer"]>; claimed: ClaimedTurn; input: SendMessage; isFirst: boolean },
  ) {
    // Of what was on offer when the message came: meanwhile a vendor may have taken it away.
    const chosen = offered.get(claimed.model);
    if (!chosen) throw new Error(`A turn was written with the model ${claimed.model}, which was not on offer`);
    const { provider, id: model } = chosen.model;
    const others = new Map(fallbacks.map((fallback) => [fallback.model.id, fallback]));
    others.delete(model);
    const { conversationId, content } = turn;
    const { messageId, runId } = answer;
    const message = answerOf(turn, answer, { provider, model, createdAt: new Date(claimed.createdAt) });
    tell(claimed.memberIds, { type: "message-created", message });
    tell(claimed.memberIds, { type: "run-started", conversationId, messageId, runId, model });
    runs.start({
      runId,
      messageId,
      conversationId,
      userId: actor.userId,
      budget: budgets.budgetOf(actor),
      chain: [chosen, ...others.values()],
      mayFailOver: input.failover ?? false,
      async prompt(): Promise<Prompt> {
        const earlier = isFirst || claimed.parentId === null ? [] : await history(actor.userId, conversationId, claimed.parentId);
        return {
          system: claimed.systemPrompt,
          messages: [...earlier, { role: "user", parts: [{ type: "text", text: content }] }],
          tools: [],
          temperature: input.temperature ?? null,
          topP: input.topP ?? null,
          topK: input.topK ?? null,
          maxTokens: input.maxTokens ?? null,
          reasoning: input.reasoning ?? "off",
        };
      },
      onEnd(end) {
        tell(claimed.memberIds, { type: "message-updated", message: finished(message, end) });
        tell(claimed.memberIds, { type: "run-ended", conversationId, messageId, runId, status: end.status });
      },
    });
  }

  async function history(userId: string, conversationId: string, from: string): Promise<ModelMessage[]> {
    const messages = await listBranch(database, { userId, conversationId, from, limit: historyLength });
    return messages.flatMap(({ role, content }) =>
      role === "system" || content === "" ? [] : [{ role, parts: [{ type: "text", text: content }] }],
    );
  }

  /** The same message again. */
  async function acceptAgain(actor: Actor, claim: EarlierClaim, bodyHash: string): Promise<SendAccepted> {
    if (claim.bodyHash !== bodyHash) {
      throw new AppError("idempotency_mismatch", "Another message was sent with this clientMessageId");
    }
    const message = await findMessage(database, actor.userId, claim.messageId);
    if (!message) throw new AppError("not_found", "This message no longer exists");
    const answer = claim.answerId && claim.runId ? { messageId: claim.answerId, runId: claim.runId } : null;
    return { conversationId: claim.conversationId, message, answer };
  }

  async function refuse(actor: Actor, turn: Turn, isFirst: boolean): Promise<never> {
    if (isFirst) throw new AppError("conflict", "The message could not be saved: send it again");
    const role = await findMembership(database, actor.userId, turn.conversationId);
    if (role === null) throw new AppError("not_found", "This conversation does not exist");
    if (role === "viewer") throw new AppError("forbidden", "You may read this conversation, but not write in it");
    throw new AppError("not_found", "The message to answer does not exist in this conversation");
  }

  background.every("sweep send claims", sweepMs, () => sweepClaims(database));

  return {
    send,
    follow,
    live,
    runs,
    stop: (actor: Actor, { runId }: StopRun) => runs.stop(actor, runId),

    conversations: {
      async list(actor: Actor, { cursor, limit = conversationsPerPage }: ListConversations): Promise<ConversationPage> {
        const after = cursor === undefined ? undefined : parseCursor(cursor);
        const rows = await listConversations(database, actor.userId, { after, limit: limit + 1 });
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return {
          items: page.map(({ conversation }) => conversation),
          nextCursor: last ? formatCursor(last.activeAt, last.conversation.id) : null,
        };
      },
      async get(actor: Actor, id: string): Promise<Conversation> {
        const conversation = await findConversation(database, actor.userId, id);
        if (!conversation) throw new AppError("not_found", "This conversation does not exist");
        return conversation;
      },
    },

    messages: {
      async list(actor: Actor, input: ListMessages): Promise<MessagePage> {
        const { conversationId, cursor, leafId, limit = messagesPerPage } = input;
        const from = cursor ?? leafId ?? null;
        const rows = await listBranch(database, { userId: actor.userId, conversationId, from, limit: limit + 1 });
        if (rows.length === 0) throw new AppError("not_found", "This conversation does not exist");
        const hasMore = rows.length > limit;
        const next = hasMore ? rows[0] : undefined;
        return { items: hasMore ? rows.slice(1) : rows, nextCursor: next?.id ?? null };
      },
    },
  };
}

function acceptedAnswer(answer: Turn["answer"]): SendAccepted["answer"] {
  return answer && { messageId: answer.messageId, runId: answer.runId };
}
