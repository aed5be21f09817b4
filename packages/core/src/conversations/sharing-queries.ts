import type { SharedConversation } from "@parley/contract";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { readInstant, statement, value, type Written } from "../database/statement.ts";
import { walkUp } from "./branch-sql.ts";

interface ShareChange {
  before: string | null;
  token: string | null;
}

const share = statement<Record<string, unknown>, ShareChange>(
  "share_conversation",
  // Switched on twice, it stays as it is.
  sql`update conversations set share_token = case when ${value("token")}::text is null then null
      else coalesce(conversations.share_token, ${value("token")}::text) end
    from conversations before
    where conversations.id = ${value("id")}::uuid and before.id = conversations.id
    returning before.share_token as before, conversations.share_token as token`,
);

/** The link's token, and what it was before. The conversation is locked. */
export async function setShareToken(
  transaction: Database,
  wanted: { id: string; token: string | null },
): Promise<ShareChange | null> {
  const [shared] = await share(transaction, wanted);
  return shared ?? null;
}

interface SharedHead {
  id: string;
  title: string;
  description: string | null;
  leafId: string | null;
}

const byToken = statement<{ token: string }, SharedHead>(
  "shared_conversation",
  sql`select id, title, description, leaf_id as "leafId" from conversations where share_token = ${value("token")}`,
);

export async function findSharedConversation(database: Database, token: string): Promise<SharedHead | null> {
  const [found] = await byToken(database, { token });
  return found ?? null;
}

type SharedMessage = SharedConversation["items"][number];

const branch = statement<Record<string, unknown>, Written<SharedMessage>>(
  "shared_messages",
  sql`with recursive branch as (${walkUp({
    from: sql`messages where messages.conversation_id = ${value("conversationId")}::uuid and messages.id = ${value("from")}::uuid`,
    goesOn: sql`branch.depth < ${value("limit")}::int`,
  })})
    select messages.id, role, type, content, parts, status, model, created_at as "createdAt",
      (select display_name from users where users.id = messages.author_id) as "authorName"
    from branch join messages on messages.id = branch.id order by branch.depth desc`,
);

/** A message and the ones before it on its branch, oldest first. */
export async function listSharedMessages(
  database: Database,
  where: { conversationId: string; from: string | null; limit: number },
): Promise<SharedMessage[]> {
  return (await branch(database, where)).map((row) => ({ ...row, createdAt: readInstant(row.createdAt) }));
}
