import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

const known = statement<{ id: string; ids: string }, { id: string }>(
  "known_messages",
  sql`select id from messages where conversation_id = ${value("id")}::uuid
    and id in (select named::uuid from jsonb_array_elements_text(${value("ids")}::jsonb) as named)`,
);

/** Which of these are messages of the conversation. */
export async function findKnown(transaction: Database, id: string, ids: readonly string[]): Promise<Set<string>> {
  const rows = await known(transaction, { id, ids: JSON.stringify(ids) });
  return new Set(rows.map((row) => row.id));
}

const insert = statement<{ id: string; messages: string }, never>(
  "insert_imported_messages",
  sql`insert into messages (id, conversation_id, parent_id, reply_to_id, role, type, author_id, content, parts, status, provider,
      model, usage, finish_reason, error, metadata, edited_at, created_at)
    select id, ${value("id")}::uuid, "parentId", "replyToId", role, type, "authorId", content, parts, status, provider,
      model, usage, "finishReason", error, metadata, "editedAt", "createdAt"
    from jsonb_to_recordset(${value("messages")}::jsonb) as imported(id uuid, "parentId" uuid, "replyToId" uuid, role text, type text,
      "authorId" uuid, content text, parts jsonb, status text, provider text, model text, usage jsonb, "finishReason" text,
      error jsonb, metadata jsonb, "editedAt" timestamptz, "createdAt" timestamptz)`,
);

export async function insertImported(transaction: Database, id: string, messages: readonly object[]): Promise<void> {
  if (messages.length > 0) await insert(transaction, { id, messages: JSON.stringify(messages) });
}

const rate = statement<{ userId: string; ratings: string }, never>(
  "insert_imported_ratings",
  sql`insert into message_ratings (message_id, user_id, rating, note)
    select "messageId", ${value("userId")}::uuid, rating, note
    from jsonb_to_recordset(${value("ratings")}::jsonb) as imported("messageId" uuid, rating text, note text)`,
);

interface ImportedRating {
  messageId: string;
  rating: "up" | "down";
  note: string | null;
}

export async function insertRatings(transaction: Database, userId: string, ratings: readonly ImportedRating[]): Promise<void> {
  if (ratings.length > 0) await rate(transaction, { userId, ratings: JSON.stringify(ratings) });
}

const settle = statement<Record<string, unknown>, never>(
  "settle_imported_conversation",
  // One look a message from the end on: an anti-join would read every message there is.
  sql`with leaf as (
      select id from (select id from messages where conversation_id = ${value("id")}::uuid order by id desc) as newest
      where (select child.id from messages child where child.parent_id = newest.id limit 1) is null limit 1),
    conversation as (
      update conversations set message_count = message_count + ${value("count")}::int, leaf_id = (select id from leaf),
        created_at = ${value("createdAt")}::timestamptz,
        updated_at = greatest(case when not ${value("isNew")}::boolean then updated_at end, ${value("activeAt")}::timestamptz)
      where id = ${value("id")}::uuid)
    update members set active_at = greatest(case when not ${value("isNew")}::boolean then active_at end, ${value("activeAt")}::timestamptz),
      last_read_id = case when user_id = ${value("userId")}::uuid and unread_count = 0 then (select id from leaf) else last_read_id end
    where conversation_id = ${value("id")}::uuid`,
);

interface Settled {
  id: string;
  userId: string;
  isNew: boolean;
  count: number;
  createdAt: Date;
  activeAt: Date;
}

/** What a conversation says of its messages, once they are in it: its times are theirs. */
export async function settleImported(transaction: Database, { createdAt, activeAt, ...rest }: Settled): Promise<void> {
  await settle(transaction, { ...rest, createdAt: createdAt.toISOString(), activeAt: activeAt.toISOString() });
}
