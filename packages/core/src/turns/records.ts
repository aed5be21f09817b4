import type { Conversation, Message, Regenerate, SendMessage } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { excerptLength } from "../conversations/queries.ts";
import { cutAtWord } from "../shortened.ts";
import { toPerson } from "../users/person.ts";
import type { ClaimedTurn, NewAnswer, Turn } from "./queries.ts";

const titleLength = 60;

/** The rows that a turn has just written, as everybody sees them: nothing is read back. */
export function questionOf(actor: Actor, turn: Turn, claimed: ClaimedTurn): Message {
  const others = claimed.siblingIds ?? [];
  return {
    ...blankMessage,
    id: turn.messageId,
    conversationId: turn.conversationId,
    parentId: claimed.parentId,
    replyToId: turn.replyToId,
    role: "user",
    author: toPerson(actor.userId, claimed.authorName),
    content: turn.content,
    parts: [{ type: "text", text: turn.content }],
    status: "complete",
    siblings: { ids: [...others, turn.messageId], index: others.length },
    createdAt: new Date(claimed.createdAt),
  };
}

/** An answer before its first word. */
export function answerOf(
  { messageId, runId }: NewAnswer,
  place: Pick<Message, "conversationId" | "parentId" | "provider" | "model" | "createdAt"> & { siblingIds: string[] },
): Message {
  const { siblingIds, ...fields } = place;
  return {
    ...blankMessage,
    ...fields,
    id: messageId,
    role: "assistant",
    author: null,
    content: "",
    parts: [],
    status: "running",
    runId,
    siblings: { ids: [...siblingIds, messageId], index: siblingIds.length },
  };
}

const blankMessage = {
  replyToId: null,
  type: "text",
  runId: null,
  model: null,
  provider: null,
  usage: null,
  finishReason: null,
  error: null,
  editedAt: null,
  metadata: {},
} as const;

export function newConversation(turn: Turn, claimed: ClaimedTurn, title: string): Conversation {
  const createdAt = new Date(claimed.createdAt);
  return {
    id: turn.conversationId,
    title,
    description: null,
    visibility: "private",
    archivedAt: null,
    pinned: false,
    tags: [],
    metadata: {},
    model: turn.model.requested,
    systemPrompt: null,
    shareUrl: null,
    members: [{ user: toPerson(turn.userId, claimed.authorName), role: "owner" }],
    myRole: "owner",
    lastMessage: {
      id: turn.messageId,
      role: "user",
      excerpt: Array.from(turn.content).slice(0, excerptLength).join(""),
      createdAt,
    },
    messageCount: turn.answer ? 2 : 1,
    unreadCount: 0,
    createdAt,
    updatedAt: createdAt,
  };
}

/** A title until the model has thought of a better one. */
export function firstWords(content: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  if (line.length <= titleLength) return line || "…";
  return `${cutAtWord(line, titleLength)}…`;
}

/**
 * What makes two sends the same: everything but the id that says so. It tells a person's own messages apart, so it need not
 * withstand anybody, and need not wait for a cryptographic hash.
 */
export function hashBody({ clientMessageId: _, ...body }: SendMessage | Regenerate): string {
  const text = JSON.stringify(Object.entries(body).sort());
  let left = 0xdeadbeef;
  let right = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    left = Math.imul(left ^ unit, 0x9e3779b1);
    right = Math.imul(right ^ unit, 0x5f356495);
    left = (left << 13) | (left >>> 19);
    right = (right << 17) | (right >>> 15);
  }
  return `${text.length}-${(left >>> 0).toString(16)}-${(right >>> 0).toString(16)}`;
}
