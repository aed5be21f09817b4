import type { MemberRole } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { memberIds } from "./member-sql.ts";

const insert = statement<Record<string, unknown>, never>(
  "insert_member",
  sql`insert into members (conversation_id, user_id, role, last_read_id)
    values (${value("conversationId")}::uuid, ${value("userId")}::uuid, ${value("role")},
      (select id from messages where conversation_id = ${value("conversationId")}::uuid order by id desc limit 1))`,
);

interface Membership {
  conversationId: string;
  userId: string;
}

/** What was said before is not unread to whoever comes. */
export async function insertMember(transaction: Database, member: Membership & { role: MemberRole }): Promise<void> {
  await insert(transaction, { ...member });
}

const setRole = statement<Record<string, unknown>, never>(
  "set_member_role",
  sql`update members set role = ${value("role")}
    where conversation_id = ${value("conversationId")}::uuid and user_id = ${value("userId")}::uuid`,
);

export async function updateMemberRole(transaction: Database, member: Membership & { role: MemberRole }): Promise<void> {
  await setRole(transaction, { ...member });
}

const end = statement<Membership & Record<string, unknown>, never>(
  "end_membership",
  sql`with ended as (
      delete from members where conversation_id = ${value("conversationId")}::uuid and user_id = ${value("userId")}::uuid)
    insert into access_changes (kind, user_id, conversation_id)
    values ('membership_ended', ${value("userId")}::uuid, ${value("conversationId")}::uuid)`,
);

/** And every node hears of it. */
export async function endMembership(transaction: Database, member: Membership): Promise<void> {
  await end(transaction, { ...member });
}

const memberIdsOf = statement<{ id: string }, { memberIds: string[] }>(
  "member_ids",
  sql`select ${memberIds(sql`${value("id")}::uuid`)} as "memberIds"`,
);

/** Empty for a conversation that is gone. */
export async function findMemberIds(database: Database, id: string): Promise<string[]> {
  const [found] = await memberIdsOf(database, { id });
  return found?.memberIds ?? [];
}
