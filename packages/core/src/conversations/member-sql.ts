import { type SQL, sql } from "drizzle-orm";
import { value } from "../database/statement.ts";

/** Joins the caller's own row of `members`: of conversations that are somebody else's nothing is left. Takes `userId`. */
export const joinReader = (conversation: SQL) =>
  sql`join members on members.conversation_id = ${conversation} and members.user_id = ${value("userId")}::uuid`;

/** Who is in a conversation; an empty list where nobody is. */
export const memberIds = (conversation: SQL) =>
  sql`(select coalesce(json_agg(present.user_id), '[]') from members present where present.conversation_id = ${conversation})`;
