import type { Message, MessageRole } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

export interface BranchRow {
  id: string;
  parentId: string | null;
  role: MessageRole;
  status: Message["status"];
  content: string;
  authorId: string | null;
  authorName: string | null;
}

interface WalkedRow extends BranchRow {
  /** Of an answer. */
  runId: string | null;
  /** What stands for this message and all before it. */
  summary: string | null;
  readAt: string;
}

interface Walk {
  userId: string;
  conversationId: string;
  through: string;
  mostCharacters: number;
}

const walk = statement<Walk, WalkedRow>(
  "walk_branch",
  sql`with recursive branch as (
      select messages.id, messages.parent_id, messages.role, messages.status, messages.author_id, messages.content,
        messages.run_id, 1 as place, length(messages.content) as seen, null::text as summary
      from messages
      ${joinReader(sql`messages.conversation_id`)}
      where messages.conversation_id = ${value("conversationId")}::uuid and messages.id = ${value("through")}::uuid
      union all
      select parent.id, parent.parent_id, parent.role, parent.status, parent.author_id, parent.content,
        parent.run_id, branch.place + 1, branch.seen + length(parent.content),
        (select summaries.content from summaries where summaries.message_id = parent.id)
      from branch join messages parent on parent.id = branch.parent_id
      where branch.summary is null and branch.seen < ${value("mostCharacters")}::int and branch.place < 10000)
    select branch.id, branch.parent_id as "parentId", branch.role, branch.status, branch.author_id as "authorId", branch.run_id as "runId",
      users.display_name as "authorName", branch.summary, now() as "readAt",
      case when branch.summary is null then branch.content else '' end as content
    from branch left join users on users.id = branch.author_id order by branch.place`,
);

/** A message and what led to it, newest first, as far as there are characters to read or to the newest summary. */
export function walkBranch(database: Database, from: Walk) {
  return walk(database, from);
}
