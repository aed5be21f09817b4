import { type SQL, sql } from "drizzle-orm";
import { value } from "../database/statement.ts";
import { joinReader } from "./member-sql.ts";

/**
 * Where a branch ends: at the leaf that is named, or else the one that its reader looks at, or else wherever the conversation goes.
 * Takes `userId` and `leafId`.
 */
export const ownLeaf = (conversation: SQL) => sql`
  select conversations.id as conversation_id, coalesce(${value("leafId")}::uuid, members.leaf_id, conversations.leaf_id) as leaf_id
  from conversations ${joinReader(sql`conversations.id`)} where conversations.id = ${conversation}`;

/**
 * For a recursive `branch`: a message, at depth one, and what led to it. Only ids are walked; what is shown is read afterwards, so
 * that a page costs the same however deep it lies.
 */
export const walkUp = ({ from, goesOn }: { from: SQL; goesOn: SQL }) => sql`
  select messages.id, messages.parent_id, 1 as depth from ${from}
  union all
  select parent.id, parent.parent_id, branch.depth + 1 from branch join messages parent on parent.id = branch.parent_id
  where ${goesOn}`;
