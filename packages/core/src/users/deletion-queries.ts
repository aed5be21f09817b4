import { sql } from "drizzle-orm";
import { deleteConversations } from "../conversations/change-queries.ts";
import { type Heir, passOwnership, stopRunsOf } from "../conversations/departure-queries.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

interface Credentials {
  displayName: string;
  passwordHash: string;
  permissions: string[];
}

const credentials = statement<{ id: string }, Credentials>(
  "credentials",
  sql`select users.display_name as "displayName", users.password_hash as "passwordHash", roles.permissions
    from users join roles on roles.name = users.role where users.id = ${value("id")}::uuid`,
);

export async function findCredentials(database: Database, id: string): Promise<Credentials | null> {
  const [found] = await credentials(database, { id });
  return found ?? null;
}

const endAll = statement<{ userId: string }, never>(
  "end_memberships",
  sql`with ended as (delete from members where user_id = ${value("userId")}::uuid returning user_id, conversation_id)
    insert into access_changes (kind, user_id, conversation_id)
    select 'membership_ended', user_id, conversation_id from ended order by conversation_id`,
);

/** Other people keep what they read with this person, and every node hears of it. Answers with where they do, and who owns it now. */
export async function leaveConversations(
  transaction: Database,
  userId: string,
): Promise<{ conversationIds: string[]; heirs: Heir[] }> {
  await stopRunsOf(transaction, { userId, conversationId: null });
  const { readByOthers, readByNobody, heirs } = await passOwnership(transaction, { userId, conversationId: null });
  await deleteConversations(transaction, readByNobody);
  await endAll(transaction, { userId });
  return { conversationIds: readByOthers, heirs };
}

const remove = statement<{ id: string }, { sessionId: string | null }>(
  "delete_user",
  sql`with live as (select id, user_id from sessions where user_id = ${value("id")}::uuid and ended_at is null),
    told as (
      insert into access_changes (kind, user_id, session_id)
      select 'session_ended', user_id, id from live
      union all select 'rights_changed', ${value("id")}::uuid, null),
    unnamed as (update audit_log set address = null where actor_id = ${value("id")}::uuid and address is not null)
    select id as "sessionId" from live`,
);

const removeUser = statement<{ id: string }, never>("delete_user_row", sql`delete from users where id = ${value("id")}::uuid`);

/** The account with all that hangs on it. The lines of the audit log stay, without a name and without an address. */
export async function deleteUser(transaction: Database, id: string): Promise<string[]> {
  const ended = await remove(transaction, { id });
  await removeUser(transaction, { id });
  return ended.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId]));
}
