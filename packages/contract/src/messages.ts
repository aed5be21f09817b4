import * as z from "zod";
import type * as events from "./events.ts";
import { object } from "./object.ts";
import { MessageRole, MessageStatus, MessageType, Metadata, PageSize, Person, Rating, TokenCounts } from "./shapes.ts";
import { id, text } from "./text.ts";

const Id = id();

const RunError = object(() => ({ reason: z.custom<NonNullable<events.Message["error"]>["reason"]>(), message: z.string() }));

const MessagePart = z.discriminatedUnion("type", [
  object(() => ({ type: z.literal("text"), text: z.string() })),
  object(() => ({ type: z.literal("reasoning"), text: z.string() })),
  object(() => ({ type: z.literal("tool-call"), callId: z.string(), name: z.string(), input: z.unknown() })),
  object(() => ({ type: z.literal("tool-result"), callId: z.string(), output: z.unknown(), isError: z.boolean() })),
]);

export const Message = object(() => ({
  id: Id,
  conversationId: Id,
  parentId: Id.nullable(),
  replyToId: Id.nullable(),
  role: MessageRole,
  type: MessageType,
  author: Person.nullable(),
  content: z.string(),
  parts: z.array(MessagePart),
  status: MessageStatus,
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
})) satisfies z.ZodType<events.Message>;
export type Message = z.output<typeof Message>;

export const ListMessages = object(() => ({
  conversationId: Id,
  /** A message: the page ends before it. */
  cursor: Id.optional(),
  limit: PageSize.optional(),
  /** The end of the branch to read; without it, the branch that you look at. */
  leafId: Id.optional(),
}));
export type ListMessages = z.output<typeof ListMessages>;

export const MessagePage = object(() => ({
  items: z.array(Message),
  nextCursor: z.string().nullable(),
  /** Yours, of the messages of this page. */
  ratings: z.array(z.object({ messageId: Id, rating: Rating, note: z.string().nullable() })),
}));
export type MessagePage = z.output<typeof MessagePage>;

export const EditMessage = object(() => ({ id: Id, content: text().min(1) }));
export type EditMessage = z.output<typeof EditMessage>;

/** What a message said before each change of it, oldest first. */
export const MessageHistory = z.array(object(() => ({ content: z.string(), editor: Person.nullable(), replacedAt: z.date() })));
export type MessageHistory = z.output<typeof MessageHistory>;

export const RateMessage = object(() => ({
  messageId: Id,
  /** Null takes the rating back. */
  rating: Rating.nullable(),
  note: text().max(2_000).optional(),
}));
export type RateMessage = z.output<typeof RateMessage>;

export const ShowBranch = object(() => ({ conversationId: Id, messageId: Id }));
export type ShowBranch = z.output<typeof ShowBranch>;

export const SearchMessages = object(() => ({
  text: text().trim().min(1).max(200),
  conversationId: Id.optional(),
  cursor: z.string().max(200).optional(),
  limit: z.int().min(1).max(50).optional(),
}));
export type SearchMessages = z.output<typeof SearchMessages>;

/** Where in an excerpt the words were found, in UTF-16 units: no markup, so that nothing has to be escaped. */
const Match = object(() => ({ from: z.int(), to: z.int() }));

export const FoundMessage = object(() => ({
  messageId: Id,
  conversationId: Id,
  conversationTitle: z.string(),
  role: MessageRole,
  author: Person.nullable(),
  createdAt: z.date(),
  excerpt: z.object({ text: z.string(), matches: z.array(Match) }),
}));
export type FoundMessage = z.output<typeof FoundMessage>;

export const SearchPage = object(() => ({ items: z.array(FoundMessage), nextCursor: z.string().nullable() }));
export type SearchPage = z.output<typeof SearchPage>;
