import type { AssembledAnswer, Message, MessagePart, MessageStatus } from "@parley/client";
import type { RunningAnswers } from "./answers.ts";

/**
 * A message as a page shows it: with the text of its answer as far as it has come, and your own before the server has it.
 *
 * @example
 * ```tsx
 * const Line = memo(({ message }: { message: ChatMessage }) => (
 *   <p className={message.delivery ?? message.status}>{message.content}</p>
 * ));
 * ```
 */
export type ChatMessage = Message & {
  /** Of your own message while the server does not have it yet, or has refused it. */
  delivery?: "sending" | "failed";
};

/** What is sent and not yet among the messages. */
export interface Outgoing {
  message: ChatMessage;
  /** The newest message that there was before. */
  after: string;
  /** Where it makes a branch of its own. */
  below?: string | undefined;
}

/** The message of an answer that is being written. */
export function withAnswer(message: Message, answer: AssembledAnswer | undefined): Message {
  // What is stored has more than an answer whose first event has not come.
  if (message.status !== "running" || !answer?.runId) return message;
  const { text: content, status, finishReason, error, model } = answer;
  return {
    ...message,
    content,
    parts: partsOf(answer),
    status: statusOf(status),
    finishReason,
    error,
    model: model?.model ?? message.model,
    provider: model?.provider ?? message.provider,
  };
}

export function statusOf(run: AssembledAnswer["status"]): MessageStatus {
  return run === "completed" ? "complete" : run;
}

function partsOf({ text, reasoning, tools }: AssembledAnswer): MessagePart[] {
  const parts: MessagePart[] = [];
  if (reasoning) parts.push({ type: "reasoning", text: reasoning });
  for (const { callId, name, input, output, isError } of tools) {
    parts.push({ type: "tool-call", callId, name, input });
    if (isError !== undefined) parts.push({ type: "tool-result", callId, output, isError });
  }
  if (text) parts.push({ type: "text", text });
  return parts;
}

/** Everything but the answers that are being written stays the object that it was. */
export function shownMessages(stored: readonly Message[], answers: RunningAnswers, outgoing: readonly Outgoing[]): ChatMessage[] {
  const shown: ChatMessage[] = stored.map((message) =>
    withAnswer(message, message.runId ? answers.get(message.runId) : undefined),
  );
  for (const { message, after, below } of outgoing) {
    // The live event, or a page, may be here before the answer to what was sent.
    const isHere = stored.some(({ id, role, content }) => role === "user" && id > after && content === message.content);
    if (isHere) continue;
    const above = shown.findIndex(({ id }) => id === below);
    if (above !== -1) shown.splice(above + 1);
    shown.push(message);
  }
  return shown;
}

const blank = {
  author: null,
  model: null,
  provider: null,
  metadata: {},
  usage: null,
  finishReason: null,
  error: null,
  editedAt: null,
  replyToId: null,
  type: "text",
} as const;

export function ownMessage(id: string, conversationId: string, content: string, parentId: string | null): ChatMessage {
  return {
    ...blank,
    id,
    conversationId,
    parentId,
    role: "user",
    content,
    parts: [{ type: "text", text: content }],
    status: "complete",
    runId: null,
    siblings: { ids: [id], index: 0 },
    createdAt: new Date(),
    delivery: "sending",
  };
}

/** An answer that has been accepted, before anything is heard of it. */
export function expectedAnswer(question: Message, { messageId: id, runId }: { messageId: string; runId: string }): Message {
  return {
    ...blank,
    id,
    conversationId: question.conversationId,
    parentId: question.id,
    role: "assistant",
    content: "",
    parts: [],
    status: "running",
    runId,
    siblings: { ids: [id], index: 0 },
    createdAt: question.createdAt,
  };
}
