import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { type Departing, lockRunning } from "./locks.ts";

/** Whose a conversation is from now on. */
export interface Heir {
  id: string;
  userId: string;
}

const stopRunning = statement<Record<string, unknown>, never>(
  "stop_running_of_user",
  sql`update runs set stop_requested = true where user_id = ${value("userId")}::uuid and status = 'running'
    and (${value("conversationId")}::uuid is null or conversation_id = ${value("conversationId")}::uuid)`,
);

/** What this person has asked for is written no further. The conversations are the caller's to lock before. */
export async function stopRunsOf(transaction: Database, departing: Departing): Promise<void> {
  await lockRunning(transaction, departing);
  await stopRunning(transaction, { ...departing });
}

const pass = statement<{ userId: string; conversationId: string | null }, { id: string; isRead: boolean; heirId: string | null }>(
  "pass_ownership",
  sql`with mine as (
      select conversation_id, role from members where user_id = ${value("userId")}::uuid
        and (${value("conversationId")}::uuid is null or conversation_id = ${value("conversationId")}::uuid)),
    others as (
      select members.conversation_id, members.user_id, row_number() over (
          partition by members.conversation_id
          order by users.status = 'active' desc, members.role = 'owner' desc, members.role = 'editor' desc, members.joined_at,
            members.user_id) as place
      from members join mine on mine.conversation_id = members.conversation_id join users on users.id = members.user_id
      where members.user_id <> ${value("userId")}::uuid),
    passed_on as (
      update members set role = 'owner' from others join mine on mine.conversation_id = others.conversation_id
      where others.place = 1 and mine.role = 'owner' and members.role <> 'owner'
        and members.conversation_id = others.conversation_id and members.user_id = others.user_id
      returning members.conversation_id, members.user_id)
    select mine.conversation_id as id, mine.conversation_id in (select conversation_id from others) as "isRead",
      passed_on.user_id as "heirId"
    from mine left join passed_on on passed_on.conversation_id = mine.conversation_id order by id`,
);

/**
 * What others read, and this person owned, passes to the oldest editor, or else reader, and to somebody suspended only where nobody
 * else is; what nobody else reads is the caller's to delete. The membership itself is the caller's to end, and the conversations are the caller's to lock before.
 */
export async function passOwnership(
  transaction: Database,
  departing: Departing,
): Promise<{ readByOthers: string[]; readByNobody: string[]; heirs: Heir[] }> {
  const left = await pass(transaction, { ...departing });
  const idsOf = (isRead: boolean) => left.flatMap((conversation) => (conversation.isRead === isRead ? [conversation.id] : []));
  const heirs = left.flatMap(({ id, heirId }) => (heirId === null ? [] : [{ id, userId: heirId }]));
  return { readByOthers: idsOf(true), readByNobody: idsOf(false), heirs };
}
