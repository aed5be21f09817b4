import type { MemberRole, Person } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { personJson } from "../users/person.ts";

interface Typist {
  /** Null for who is no member. */
  role: MemberRole | null;
  person: Person;
  otherIds: string[];
}

const typist = statement<{ userId: string; conversationId: string }, Typist>(
  "typist",
  sql`select members.role, ${personJson(sql`users`)} as person,
      (select coalesce(json_agg(others.user_id), '[]') from members others
        where others.conversation_id = ${value("conversationId")}::uuid and others.user_id <> users.id) as "otherIds"
    from users left join members on members.user_id = users.id and members.conversation_id = ${value("conversationId")}::uuid
    where users.id = ${value("userId")}::uuid`,
);

/** A person, and the other members of a room. */
export async function findTypist(database: Database, userId: string, conversationId: string): Promise<Typist | null> {
  const [found] = await typist(database, { userId, conversationId });
  return found ?? null;
}
