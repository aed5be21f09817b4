import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

/** Steps that one statement takes: a branch has no bound, a statement has. */
const stride = 10_000;

const walkDown = statement<{ id: string; steps: number }, { id: string; depth: number }>(
  "walk_down",
  sql`with recursive walk as (
      select messages.id, 0 as depth from messages where messages.id = ${value("id")}::uuid
      union all
      select child.id, walk.depth + 1 from walk cross join lateral (
        select messages.id from messages where messages.parent_id = walk.id order by messages.id desc limit 1) as child
      where walk.depth < ${value("steps")}::int)
    select id, depth from walk order by depth desc limit 1`,
);

/** The end of the newest branch below a message, itself where nothing follows it; null for a message that is gone. */
export async function findNewestBelow(transaction: Database, messageId: string): Promise<string | null> {
  for (let from = messageId; ; ) {
    const [end] = await walkDown(transaction, { id: from, steps: stride });
    if (!end) return null;
    if (end.depth < stride) return end.id;
    from = end.id;
  }
}

const look = statement<Record<string, unknown>, { userId: string }>(
  "look_at_branch",
  sql`update members set leaf_id = nullif(${value("leafId")}::uuid, conversations.leaf_id) from conversations
    where conversations.id = members.conversation_id and members.conversation_id = ${value("conversationId")}::uuid
      and members.user_id = ${value("userId")}::uuid
      and members.leaf_id is distinct from nullif(${value("leafId")}::uuid, conversations.leaf_id)
    returning members.user_id as "userId"`,
);

/** False when the person looks at it already. Null is kept for wherever the conversation goes. */
export async function lookAt(
  transaction: Database,
  where: { userId: string; conversationId: string; leafId: string },
): Promise<boolean> {
  return (await look(transaction, where)).length === 1;
}
