import { sql } from "drizzle-orm";
import { bigint, index, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, instant } from "../columns.ts";
import { users } from "./accounts.ts";

/** What every node has to hear of within seconds: a session or a membership that ended, rights that changed. No foreign keys: it outlives both. */
export const accessChanges = pgTable(
  "access_changes",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text("kind", { enum: ["session_ended", "rights_changed", "profile_changed", "membership_ended"] }).notNull(),
    userId: uuid("user_id").notNull(),
    sessionId: uuid("session_id"),
    conversationId: uuid("conversation_id"),
    /** Who reads by time or by number misses what began earlier and was committed later; by transaction nobody does. */
    transaction: bigint("transaction", { mode: "number" }).notNull().default(sql`pg_current_xact_id()::text::bigint`),
    createdAt: createdAt(),
  },
  (table) => [index("access_changes_transaction").on(table.transaction), index("access_changes_age").on(table.createdAt)],
);

/** Links in mails and invitations. Only a hash of what is in the link is kept. */
export const oneTimeLinks = pgTable(
  "one_time_links",
  {
    hash: text("hash").primaryKey(),
    kind: text("kind", { enum: ["verify_email", "reset_password", "invite"] }).notNull(),
    /** Whom it is for; for an invitation, who made it. */
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: createdAt(),
    expiresAt: instant("expires_at").notNull(),
    usedAt: instant("used_at"),
  },
  (table) => [index("one_time_links_user").on(table.userId, table.kind), index("one_time_links_expiry").on(table.expiresAt)],
);

export const apiKeys = pgTable(
  "api_keys",
  {
    id: id(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** The beginning of the key, to recognise it by. */
    prefix: text("prefix").notNull(),
    hash: text("hash").notNull(),
    scopes: text("scopes").array().notNull(),
    createdAt: createdAt(),
    expiresAt: instant("expires_at"),
    lastUsedAt: instant("last_used_at"),
    revokedAt: instant("revoked_at"),
  },
  (table) => [uniqueIndex("api_keys_hash").on(table.hash), index("api_keys_user").on(table.userId, table.createdAt)],
);
