import * as z from "zod";
import type { Conversation as ConversationType, Message as MessageType } from "./events.ts";
import { id, text } from "./text.ts";

const Id = id();

export const SendMessage = z
  .object({
    conversationId: Id.optional(),
    clientMessageId: text().min(1).max(100),
    content: text().min(1),
    parentId: Id.optional(),
    model: text().min(1).max(200).optional(),
    /** Who answers, in this order, when the model fails; without it, whoever the operator has named. */
    fallbacks: z.array(text().min(1).max(200)).max(5).optional(),
    /** An answer that breaks off after its first words is begun again by the next model. */
    failover: z.boolean().optional(),
    temperature: z.number().min(0).max(2).optional(),
    topP: z.number().min(0).max(1).optional(),
    topK: z.int().min(1).max(1_000).optional(),
    reasoning: z.enum(["off", "low", "medium", "high"]).optional(),
    maxTokens: z.int().min(1).max(1_000_000).optional(),
    answer: z.boolean().optional(),
  })
  .refine(({ parentId, conversationId }) => parentId === undefined || conversationId !== undefined, {
    path: ["parentId"],
    message: "A parent is a message of a conversation: name the conversation too",
  });
export type SendMessage = z.output<typeof SendMessage>;

const TokenCounts = z.object({ input: z.int(), cacheRead: z.int(), cacheWrite: z.int(), output: z.int() });
const Person = z.object({ id: Id, name: z.string(), avatar: z.string().nullable() });
const RunError = z.object({ reason: z.custom<NonNullable<MessageType["error"]>["reason"]>(), message: z.string() });
const Metadata = z.record(z.string(), z.unknown());

export const Message = z.object({
  id: Id,
  conversationId: Id,
  parentId: Id.nullable(),
  replyToId: Id.nullable(),
  role: z.enum(["user", "assistant", "system"]),
  type: z.enum(["text", "file", "image", "audio", "error"]),
  author: Person.nullable(),
  content: z.string(),
  parts: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({ type: z.literal("reasoning"), text: z.string() }),
      z.object({ type: z.literal("tool-call"), callId: z.string(), name: z.string(), input: z.unknown() }),
      z.object({ type: z.literal("tool-result"), callId: z.string(), output: z.unknown(), isError: z.boolean() }),
    ]),
  ),
  status: z.enum(["complete", "running", "stopped", "interrupted", "failed"]),
  runId: Id.nullable(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  usage: TokenCounts.nullable(),
  finishReason: z.string().nullable(),
  error: RunError.nullable(),
  siblings: z.object({ ids: z.array(Id), index: z.int() }),
  editedAt: z.date().nullable(),
  metadata: Metadata,
  createdAt: z.date(),
}) satisfies z.ZodType<MessageType>;

export const SendAccepted = z.object({
  conversationId: Id,
  message: Message,
  answer: z.object({ messageId: Id, runId: Id }).nullable(),
});
export type SendAccepted = z.output<typeof SendAccepted>;

const MemberRole = z.enum(["owner", "editor", "viewer"]);

export const Conversation = z.object({
  id: Id,
  title: z.string(),
  description: z.string().nullable(),
  visibility: z.enum(["private", "public"]),
  archivedAt: z.date().nullable(),
  pinned: z.boolean(),
  tags: z.array(z.string()),
  metadata: Metadata,
  model: z.string().nullable(),
  systemPrompt: z.string().nullable(),
  shareUrl: z.string().nullable(),
  members: z.array(z.object({ user: Person, role: MemberRole })),
  myRole: MemberRole,
  lastMessage: z
    .object({ id: Id, role: z.enum(["user", "assistant", "system"]), excerpt: z.string(), createdAt: z.date() })
    .nullable(),
  messageCount: z.int(),
  unreadCount: z.int(),
  createdAt: z.date(),
  updatedAt: z.date(),
}) satisfies z.ZodType<ConversationType>;

export const ListConversations = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.int().min(1).max(100).optional(),
});
export type ListConversations = z.output<typeof ListConversations>;

export const ConversationPage = z.object({ items: z.array(Conversation), nextCursor: z.string().nullable() });
export type ConversationPage = z.output<typeof ConversationPage>;

export const ListMessages = z.object({
  conversationId: Id,
  cursor: Id.optional(),
  limit: z.int().min(1).max(100).optional(),
  leafId: Id.optional(),
});
export type ListMessages = z.output<typeof ListMessages>;

export const MessagePage = z.object({ items: z.array(Message), nextCursor: z.string().nullable() });
export type MessagePage = z.output<typeof MessagePage>;

export const StopRun = z.object({ runId: Id });
export type StopRun = z.output<typeof StopRun>;

export const FollowRun = z.object({ runId: Id, lastEventId: z.string().max(100).nullish() });
export type FollowRun = z.output<typeof FollowRun>;

export const FollowLive = z.object({ lastEventId: z.string().max(100).nullish() });
export type FollowLive = z.output<typeof FollowLive>;

export type Message = z.output<typeof Message>;
export type Conversation = z.output<typeof Conversation>;
