import type { ErrorReason } from "@parley/contract/errors";
import type { Attempt, MessagePart, ModelRef, RunError, TokenCounts } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { createdAt, id, instant } from "../columns.ts";
import { users } from "./accounts.ts";

export interface Failover {
  from: ModelRef;
  to: ModelRef;
  reason: ErrorReason;
}

/** A part of an answer that is not text, and how much text and reasoning there was before it. */
export interface ToolMark {
  text: number;
  reasoning: number;
  part: Extract<MessagePart, { type: "tool-call" | "tool-result" }>;
}

/** What a request was put together from: the messages themselves are found again by their ids. */
export interface RunContext {
  system: string | null;
  /** The message whose summary stands for it and everything before it. */
  summarisedThrough: string | null;
  /** The first and the last of the messages that were sent whole. */
  from: string;
  through: string;
  /** Each message begins with the name of its author. */
  isNamed: boolean;
  /** When the messages were read; null where there was nothing but the question. */
  readAt: string | null;
  estimatedTokens: number;
  parameters: {
    temperature: number | null;
    topP: number | null;
    topK: number | null;
    maxTokens: number | null;
    reasoning: string;
  };
}

const searchVector = customType<{ data: string }>({ dataType: () => "tsvector" });

export const conversations = pgTable(
  "conversations",
  {
    id: id(),
    title: text("title").notNull(),
    /** Who thought of it: a title of a person's own is never replaced. */
    titleBy: text("title_by", { enum: ["words", "model", "person"] })
      .notNull()
      .default("words"),
    description: text("description"),
    visibility: text("visibility", { enum: ["private", "public"] })
      .notNull()
      .default("private"),
    archivedAt: instant("archived_at"),
    tags: text("tags").array().notNull().default(sql`'{}'`),
    metadata: jsonb("metadata").$type<Record<string, unknown>>().notNull().default({}),
    model: text("model"),
    systemPrompt: text("system_prompt"),
    /** The newest message: where the next one goes when its parent is not named. No foreign key: both are written in one statement. */
    leafId: uuid("leaf_id"),
    /** What that was before the last message was sent: a change tells its own statement what it found. */
    priorLeafId: uuid("prior_leaf_id"),
    messageCount: integer("message_count").notNull().default(0),
    /** The end of its read-only link; null where there is none. */
    shareToken: text("share_token"),
    createdAt: createdAt(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("conversations_share").on(table.shareToken),
    index("conversations_public").on(table.updatedAt.desc(), table.id.desc()).where(sql`${table.visibility} = 'public'`),
  ],
);

export const members = pgTable(
  "members",
  {
    conversationId: uuid("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text("role", { enum: ["owner", "editor", "viewer"] }).notNull(),
    pinned: boolean("pinned").notNull().default(false),
    unreadCount: integer("unread_count").notNull().default(0),
    lastReadId: uuid("last_read_id"),
    /** The end of the branch that this person looks at; null is wherever the conversation goes. No foreign key, as above. */
    leafId: uuid("leaf_id"),
    /** Repeated from the conversation, so that a person's list is read from one index however long it is. */
    activeAt: instant("active_at").notNull().defaultNow(),
    joinedAt: instant("joined_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.userId] }),
    index("members_list").on(table.userId, table.activeAt.desc(), table.conversationId.desc()),
  ],
);

export const messages = pgTable(
  "messages",
  {
    id: id(),
    conversationId: uuid("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    parentId: uuid("parent_id").references((): AnyPgColumn => messages.id, { onDelete: "cascade" }),
    replyToId: uuid("reply_to_id").references((): AnyPgColumn => messages.id, { onDelete: "set null" }),
    role: text("role", { enum: ["user", "assistant", "system"] }).notNull(),
    type: text("type", { enum: ["text", "file", "image", "audio", "error"] })
      .notNull()
      .default("text"),
    authorId: uuid("author_id").references(() => users.id, { onDelete: "set null" }),
    content: text("content").notNull(),
    parts: jsonb("parts").$type<MessagePart[]>().notNull().default([]),
    status: text("status", { enum: ["complete", "running", "stopped", "interrupted", "failed"] }).notNull(),
    /** No foreign key: a run and its message point at each other, and the run holds the reference. */
    runId: uuid("run_id"),
    model: text("model"),
    provider: text("provider"),
    usage: jsonb("usage").$type<TokenCounts>(),
    finishReason: text("finish_reason"),
    error: jsonb("error").$type<RunError>(),
    metadata: jsonb("metadata").$type<Record<string, unknown>>().notNull().default({}),
    search: searchVector("search").generatedAlwaysAs(sql`parley_search_vector(content)`),
    editedAt: instant("edited_at"),
    createdAt: createdAt(),
  },
  (table) => [
    index("messages_time").on(table.conversationId, table.id),
    index("messages_roots").on(table.conversationId, table.id).where(sql`${table.parentId} is null`),
    index("messages_parent").on(table.parentId),
    index("messages_reply").on(table.replyToId).where(sql`${table.replyToId} is not null`),
    index("messages_author").on(table.authorId),
    index("messages_search").using("gin", table.search),
  ],
);

/** Written every half second while an answer streams: no column that changes then has an index. */
export const runs = pgTable(
  "runs",
  {
    id: id(),
    messageId: uuid("message_id")
      .notNull()
      .references(() => messages.id, { onDelete: "cascade" }),
    conversationId: uuid("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    userId: uuid("user_id").references(() => users.id, { onDelete: "set null" }),
    provider: text("provider").notNull(),
    model: text("model").notNull(),
    status: text("status", { enum: ["running", "completed", "stopped", "interrupted", "failed"] }).notNull(),
    /** Who may write: a writer that lost its lease finds another epoch here. */
    epoch: uuid("epoch").notNull(),
    leaseUntil: instant("lease_until").notNull(),
    stopRequested: boolean("stop_requested").notNull().default(false),
    text: text("text").notNull().default(""),
    reasoning: text("reasoning").notNull().default(""),
    seq: integer("seq").notNull().default(0),
    /** Where the answer started over, so that a follower who comes back later learns of it. */
    failovers: jsonb("failovers").$type<Failover[]>().notNull().default([]),
    attempts: jsonb("attempts").$type<Attempt[]>().notNull().default([]),
    /** Calls of tools and their results, with their places in the text. */
    tools: jsonb("tools").$type<ToolMark[]>().notNull().default([]),
    /** What the request was put together from; null before it was sent. */
    context: jsonb("context").$type<RunContext>(),
    createdAt: createdAt(),
    endedAt: instant("ended_at"),
  },
  (table) => [
    index("runs_running").on(table.id).where(sql`${table.status} = 'running'`),
    index("runs_message").on(table.messageId),
    index("runs_conversation").on(table.conversationId),
    index("runs_user").on(table.userId),
  ],
);

/** What a message said before it was changed. */
export const messageEdits = pgTable(
  "message_edits",
  {
    id: id(),
    messageId: uuid("message_id")
      .notNull()
      .references(() => messages.id, { onDelete: "cascade" }),
    editorId: uuid("editor_id").references(() => users.id, { onDelete: "set null" }),
    content: text("content").notNull(),
    replacedAt: instant("replaced_at").notNull().defaultNow(),
  },
  (table) => [index("message_edits_message").on(table.messageId, table.id), index("message_edits_editor").on(table.editorId)],
);

export const messageRatings = pgTable(
  "message_ratings",
  {
    messageId: uuid("message_id")
      .notNull()
      .references(() => messages.id, { onDelete: "cascade" }),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    rating: text("rating", { enum: ["up", "down"] }).notNull(),
    note: text("note"),
    ratedAt: instant("rated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.messageId, table.userId] }), index("message_ratings_user").on(table.userId)],
);

/** What stands for a message and everything before it on its branch, where a model's window has no room for them. */
export const summaries = pgTable(
  "summaries",
  {
    messageId: uuid("message_id")
      .primaryKey()
      .references(() => messages.id, { onDelete: "cascade" }),
    conversationId: uuid("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    content: text("content").notNull(),
    model: text("model").notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("summaries_conversation").on(table.conversationId)],
);

/** Who is in which room, by session. A row that nobody renews is nobody. */
export const presences = pgTable(
  "presences",
  {
    conversationId: uuid("conversation_id").notNull(),
    userId: uuid("user_id").notNull(),
    sessionId: uuid("session_id").notNull(),
    until: instant("until").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.userId, table.sessionId] }),
    index("presences_session").on(table.sessionId),
    index("presences_until").on(table.until),
  ],
);

/** One row a message sent, for a day: a repeated send finds the ids of the first. */
export const sendClaims = pgTable(
  "send_claims",
  {
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    clientMessageId: text("client_message_id").notNull(),
    bodyHash: text("body_hash").notNull(),
    conversationId: uuid("conversation_id").notNull(),
    messageId: uuid("message_id").notNull(),
    answerId: uuid("answer_id"),
    runId: uuid("run_id"),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.clientMessageId] }), index("send_claims_age").on(table.createdAt)],
);
