import { sql } from "drizzle-orm";
import { memberIds } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

interface Place {
  conversationId: string;
  userId: string;
}

const lock = statement<Record<string, unknown>, { lastReadId: string | null }>(
  "lock_reader",
  sql`select last_read_id as "lastReadId" from members
    where conversation_id = ${value("conversationId")}::uuid and user_id = ${value("userId")}::uuid for no key update`,
);

/** A turn that counts itself as unread comes before or after, never in between. Null for who is no member. */
export async function lockReader(transaction: Database, place: Place): Promise<{ lastReadId: string | null } | null> {
  const [reader] = await lock(transaction, { ...place });
  return reader ?? null;
}

const mark = statement<Record<string, unknown>, { lastReadId: string; memberIds: string[] }>(
  "mark_read",
  // One's own messages are never unread to oneself, nor are the answers that one has asked for.
  sql`with position as (
      select greatest(members.last_read_id, messages.id) as id from members
      join messages on messages.conversation_id = members.conversation_id and messages.id = ${value("messageId")}::uuid
      where members.conversation_id = ${value("conversationId")}::uuid and members.user_id = ${value("userId")}::uuid),
    unread as (
      select count(*)::int as count from position
      join messages on messages.conversation_id = ${value("conversationId")}::uuid and messages.id > position.id
      left join runs on runs.id = messages.run_id
      where messages.author_id is distinct from ${value("userId")}::uuid and runs.user_id is distinct from ${value("userId")}::uuid)
    update members set last_read_id = position.id, unread_count = unread.count from position, unread
    where members.conversation_id = ${value("conversationId")}::uuid and members.user_id = ${value("userId")}::uuid
    returning members.last_read_id as "lastReadId", ${memberIds(sql`${value("conversationId")}::uuid`)} as "memberIds"`,
);

/** Forward only. Null when the message is not of this conversation. Its reader is locked. */
export async function markReadThrough(
  transaction: Database,
  where: Place & { messageId: string },
): Promise<{ lastReadId: string; memberIds: string[] } | null> {
  const [marked] = await mark(transaction, { ...where });
  return marked ?? null;
}
