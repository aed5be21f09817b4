import type { Receipt, RunStatus } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { charge } from "../budgets/queries.ts";
import { joinReader, memberIds } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import type { Failover, RunContext, ToolMark } from "../database/tables/chat.ts";
import { spentBy } from "../tokens/costs.ts";
import { answerFields } from "./records.ts";
import type { EndedRun, RunOutcome } from "./run.ts";

/** How long a run is its writer's. The database's clock decides: nodes may disagree about the time. */
export const lease = sql`now() + interval '15 seconds'`;

const checkpoint = statement<{ epoch: string; rows: string }, { id: string; stopRequested: boolean }>(
  "checkpoint_runs",
  // What is sent again because its answer was lost is not appended again: the offset says where it belongs.
  sql`update runs set text = case when new.text = '' and new."textAt" > 0 then runs.text else left(runs.text, new."textAt") || new.text end,
      reasoning = case when new.reasoning = '' and new."reasoningAt" > 0 then runs.reasoning
        else left(runs.reasoning, new."reasoningAt") || new.reasoning end,
      seq = new.seq, failovers = coalesce(new.failovers, runs.failovers), tools = coalesce(new.tools, runs.tools),
      context = coalesce(new.context, runs.context), lease_until = ${lease}
    from jsonb_to_recordset(${value("rows")}::jsonb)
      as new(id uuid, text text, "textAt" int, reasoning text, "reasoningAt" int, seq int, failovers jsonb, tools jsonb,
        context jsonb)
    where runs.id = new.id and runs.epoch = ${value("epoch")}::uuid and runs.status = 'running'
    returning runs.id, runs.stop_requested as "stopRequested"`,
);

export interface Checkpoint {
  id: string;
  seq: number;
  /** What came after the position that the last checkpoint has saved, in characters of Postgres. */
  text: string;
  textAt: number;
  reasoning: string;
  reasoningAt: number;
  /** Null when there are no new ones. */
  failovers: Failover[] | null;
  tools: ToolMark[] | null;
  context: RunContext | null;
}

/** Runs that are missing from the answer are no longer this writer's. */
export function checkpointRuns(database: Database, epoch: string, rows: Checkpoint[]) {
  return checkpoint(database, { epoch, rows: JSON.stringify(rows) });
}

interface RunEnd extends RunOutcome {
  runId: string;
  messageId: string;
  conversationId: string;
  epoch: string;
  seq: number;
  failovers: Failover[];
  context: RunContext | null;
  receipt: Receipt;
}

const end = statement<ReturnType<typeof endValues>, EndedRun>(
  "end_run",
  sql`with ended as (
      update runs set status = ${value("status")}, text = '', reasoning = '', seq = ${value("seq")}::int,
        attempts = ${value("attempts")}::jsonb, failovers = ${value("failovers")}::jsonb, tools = ${value("tools")}::jsonb,
        context = coalesce(${value("context")}::jsonb, context), ended_at = now()
      where id = ${value("runId")}::uuid and epoch = ${value("epoch")}::uuid and status = 'running'
      returning id, message_id, user_id),
    ${charge},
    answer as (
      update messages set content = ${value("text")}, parts = ${value("parts")}::jsonb, status = ${value("messageStatus")},
        type = ${value("type")}, provider = ${value("provider")}, model = ${value("model")}, usage = ${value("usage")}::jsonb,
        finish_reason = ${value("finishReason")}, error = ${value("error")}::jsonb
      from ended where messages.id = ended.message_id)
    -- A second try after an answer that was lost finds the work done: the row as it was before, running or not.
    select ${memberIds(sql`runs.conversation_id`)} as "memberIds", mine.parent_id as "parentId",
      coalesce((select json_agg(sibling.id order by sibling.id) from messages sibling where sibling.parent_id = mine.parent_id),
        json_build_array(mine.id)) as "siblingIds"
    from runs join messages mine on mine.id = runs.message_id
    where runs.id = ${value("runId")}::uuid and runs.epoch = ${value("epoch")}::uuid
      and (runs.status <> 'running' or exists (select from ended))`,
);

function endValues(run: RunEnd) {
  const { content, parts, type, status } = answerFields(run);
  const spent = spentBy(run.receipt.attempts);
  return {
    runId: run.runId,
    epoch: run.epoch,
    status: run.status,
    seq: run.seq,
    attempts: JSON.stringify(run.receipt.attempts),
    failovers: JSON.stringify(run.failovers),
    tools: JSON.stringify(run.tools),
    context: run.context && JSON.stringify(run.context),
    spentTokens: spent.tokens,
    spentMicros: spent.micros,
    text: content,
    parts: JSON.stringify(parts),
    messageStatus: status,
    type,
    provider: run.provider,
    model: run.model,
    usage: JSON.stringify(run.usage),
    finishReason: run.finishReason,
    error: run.error && JSON.stringify(run.error),
  };
}

/** The terminal state, once, and how things stand then; null for a writer that was fenced. */
export async function endRun(database: Database, run: RunEnd): Promise<EndedRun | null> {
  const [ended] = await end(database, endValues(run));
  return ended ?? null;
}

const requestStop = statement<{ runId: string; userId: string }, { mayStop: boolean }>(
  "request_stop",
  sql`with mine as (
      select members.role <> 'viewer' or runs.user_id is not distinct from members.user_id as may_stop
      from runs ${joinReader(sql`runs.conversation_id`)}
      where runs.id = ${value("runId")}::uuid),
    marked as (
      update runs set stop_requested = true from mine
      where runs.id = ${value("runId")}::uuid and mine.may_stop and runs.status = 'running')
    select may_stop as "mayStop" from mine`,
);

/**
 * Marks a run to be stopped by whoever writes it. False for a viewer, unless it is the viewer's own; null for whoever is not in
 * its conversation.
 */
export async function markStopped(database: Database, runId: string, userId: string): Promise<boolean | null> {
  const [mine] = await requestStop(database, { runId, userId });
  return mine?.mayStop ?? null;
}

export interface AbandonedRun extends Pick<RunEnd, "runId" | "messageId" | "conversationId" | "provider" | "model"> {
  text: string;
  reasoning: string;
  tools: ToolMark[];
  failovers: Failover[];
  seq: number;
}

const takeOver = statement<{ epoch: string; includingLive: boolean; active: string }, AbandonedRun>(
  "take_over_runs",
  sql`update runs set epoch = ${value("epoch")}::uuid, lease_until = ${lease}
    where status = 'running' and (lease_until < now() or (${value("includingLive")}::boolean and epoch <> ${value("epoch")}::uuid))
      and id <> all(array(select jsonb_array_elements_text(${value("active")}::jsonb)::uuid))
    returning id as "runId", message_id as "messageId", conversation_id as "conversationId", provider, model, text, reasoning, tools,
      failovers, seq`,
);

/** Runs whose writer no longer renews its lease are this writer's now, with the text that the last checkpoint saved. */
export function takeOverAbandonedRuns(
  database: Database,
  { active, ...which }: { epoch: string; includingLive: boolean; active: string[] },
) {
  return takeOver(database, { ...which, active: JSON.stringify(active) });
}

export interface SavedRun {
  messageId: string;
  conversationId: string;
  provider: string;
  model: string;
  status: "running" | RunStatus;
  seq: number;
  text: string;
  reasoning: string;
  finishReason: string | null;
  error: RunOutcome["error"];
  attempts: Receipt["attempts"];
  failovers: Failover[];
  tools: ToolMark[];
}

const saved = statement<{ runId: string; userId: string }, SavedRun>(
  "saved_run",
  sql`select runs.message_id as "messageId", runs.conversation_id as "conversationId", runs.provider, runs.model, runs.status,
      runs.seq, runs.attempts, runs.failovers, runs.tools, messages.finish_reason as "finishReason", messages.error,
      case when runs.status = 'running' then runs.text
        else coalesce((select content from message_edits where message_edits.message_id = messages.id
          order by replaced_at, message_edits.id limit 1), messages.content) end as text,
      case when runs.status = 'running' then runs.reasoning
        else coalesce((select string_agg(part->>'text', '' order by place) from jsonb_array_elements(messages.parts)
          with ordinality as parts(part, place) where part->>'type' = 'reasoning'), '') end as reasoning
    from runs
    join messages on messages.id = runs.message_id
    ${joinReader(sql`runs.conversation_id`)}
    where runs.id = ${value("runId")}::uuid`,
);

/** Null for a run that does not exist and for one in somebody else's conversation. */
export async function findSavedRun(database: Database, runId: string, userId: string): Promise<SavedRun | null> {
  const [run] = await saved(database, { runId, userId });
  return run ?? null;
}

const running = statement<{ ids: string }, { id: string }>(
  "running_runs",
  sql`select id from runs where id = any(array(select jsonb_array_elements_text(${value("ids")}::jsonb)::uuid)) and status = 'running'`,
);

/** Which of these runs go on. The others have ended, or are gone with their conversations. */
export async function findRunning(database: Database, ids: string[]): Promise<Set<string>> {
  return new Set((await running(database, { ids: JSON.stringify(ids) })).map(({ id }) => id));
}
