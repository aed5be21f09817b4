import type { Run } from "@parley/contract";
import type { Attempt } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value, type Written } from "../database/statement.ts";
import type { RunContext } from "../database/tables/chat.ts";
import type { BranchRow } from "./queries.ts";

type RunRow = Written<Omit<Run, "receipt" | "request">> & {
  attempts: Attempt[];
  /** Null for those who did not ask. */
  context: RunContext | null;
};

const runById = statement<{ runId: string; userId: string }, RunRow>(
  "run_by_id",
  sql`select runs.id, runs.conversation_id as "conversationId", runs.message_id as "messageId", runs.status,
      coalesce(messages.provider, runs.provider) as provider, coalesce(messages.model, runs.model) as model,
      runs.created_at as "startedAt", runs.ended_at as "endedAt", runs.attempts,
      case when runs.user_id = ${value("userId")}::uuid then runs.context end as context
    from runs
    join messages on messages.id = runs.message_id
    ${joinReader(sql`runs.conversation_id`)}
    where runs.id = ${value("runId")}::uuid`,
);

/** Null for a run that does not exist and for one in somebody else's conversation. */
export async function findRun(database: Database, run: { runId: string; userId: string }): Promise<RunRow | null> {
  const [found] = await runById(database, run);
  return found ?? null;
}

interface SentRow extends Omit<BranchRow, "parentId" | "runId"> {
  length: number;
}

interface Sent extends Pick<RunContext, "from" | "through" | "readAt"> {
  runId: string;
}

const sentBranch = statement<Sent, SentRow>(
  "sent_branch",
  sql`with recursive branch as (
      select messages.id, messages.parent_id, 1 as place from messages where messages.id = ${value("through")}::uuid
      union all
      select parent.id, parent.parent_id, branch.place + 1 from branch join messages parent on parent.id = branch.parent_id
      where branch.place < 10000),
    asked as (
      select coalesce(${value("readAt")}::timestamptz, runs.created_at) as at from runs where runs.id = ${value("runId")}::uuid)
    select messages.id, messages.role, messages.author_id as "authorId", users.display_name as "authorName",
      (select count(*)::int from branch) as length,
      messages.status,
      coalesce((select edits.content from message_edits edits where edits.message_id = messages.id and edits.replaced_at > asked.at
        order by edits.replaced_at, edits.id limit 1), messages.content) as content
    from branch join messages on messages.id = branch.id left join users on users.id = messages.author_id, asked
    where branch.place <= coalesce((select place from branch where id = ${value("from")}::uuid), 1) order by branch.place`,
);

/** The messages that a run has sent, newest first, as they were when they were read; and how long their branch is. */
export async function readSentBranch(
  database: Database,
  { runId, from, through, readAt }: Sent,
): Promise<{ rows: SentRow[]; length: number }> {
  const rows = await sentBranch(database, { runId, from, through, readAt });
  return { rows, length: rows[0]?.length ?? 0 };
}
