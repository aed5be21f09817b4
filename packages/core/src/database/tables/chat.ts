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
  uuid,
} from "drizzle-orm/pg-core";
import { createdAt, id, instant } from "../columns.ts";
import { users } from "./accounts.ts";

export interface Failover {
  from: ModelRef;
  to: ModelRef;
  reason: ErrorReason;
}

const searchVector = customType<{ data: string }>({ dataType: () => "tsvector" });

export const conversations = pgTable("conversations", {
  id: id(),
  title: text("title").notNull(),
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
  messageCount: integer("message_count").notNull().default(0),
  createdAt: createdAt(),
  updatedAt: instant("updated_at").notNull().defaultNow(),
});

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
    index("messages_tree").on(table.conversationId, table.parentId, table.id),
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
