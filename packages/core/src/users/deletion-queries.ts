import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

interface Credentials {
  passwordHash: string;
  permissions: string[];
}

const credentials = statement<{ id: string }, Credentials>(
  "credentials",
  sql`select users.password_hash as "passwordHash", roles.permissions
    from users join roles on roles.name = users.role where users.id = ${value("id")}::uuid`,
);

export async function findCredentials(database: Database, id: string): Promise<Credentials | null> {
  const [found] = await credentials(database, { id });
  return found ?? null;
}

const lockConversations = statement<{ userId: string }, never>(
  "lock_conversations_of",
  // Nobody can be added to what is about to go.
  sql`select conversations.id from conversations join members on members.conversation_id = conversations.id
    where members.user_id = ${value("userId")}::uuid order by conversations.id for update of conversations`,
);

const leaveConversations = statement<{ userId: string }, never>(
  "leave_conversations",
  sql`with mine as (select conversation_id, role from members where user_id = ${value("userId")}::uuid),
    others as (
      select members.conversation_id, members.user_id, row_number() over (
          partition by members.conversation_id
          order by members.role = 'owner' desc, members.role = 'editor' desc, members.joined_at, members.user_id) as place
      from members join mine on mine.conversation_id = members.conversation_id
      where members.user_id <> ${value("userId")}::uuid),
    handed_on as (
      update members set role = 'owner' from others join mine on mine.conversation_id = others.conversation_id
      where others.place = 1 and mine.role = 'owner' and members.role <> 'owner'
        and members.conversation_id = others.conversation_id and members.user_id = others.user_id)
    delete from conversations where id in (select conversation_id from mine)
      and id not in (select conversation_id from others)`,
);

/** What nobody else reads goes; what others read, and this person owned, passes to the oldest editor, or else reader. */
export async function dissolveConversations(transaction: Database, userId: string): Promise<void> {
  await lockConversations(transaction, { userId });
  await leaveConversations(transaction, { userId });
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
