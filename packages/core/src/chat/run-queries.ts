import type { MemberRole, Receipt, RunStatus } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { charge } from "../budgets/queries.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import type { Failover } from "../database/tables/chat.ts";
import { spentBy } from "../tokens/costs.ts";
import type { RunOutcome } from "./runs.ts";
import { answerFields } from "./turn-records.ts";

/** The database's clock decides: nodes may disagree about the time. */
const lease = sql`now() + interval '15 seconds'`;

const checkpoint = statement<{ epoch: string; rows: string }, { id: string; stopRequested: boolean }>(
  "checkpoint_runs",
  // What is sent again because its answer was lost is not appended again: the offset says where it belongs.
  sql`update runs set text = case when new.text = '' and new.text_at > 0 then runs.text else left(runs.text, new.text_at) || new.text end,
      reasoning = case when new.reasoning = '' and new.reasoning_at > 0 then runs.reasoning
        else left(runs.reasoning, new.reasoning_at) || new.reasoning end,
      seq = new.seq, failovers = coalesce(new.failovers, runs.failovers), lease_until = ${lease}
    from jsonb_to_recordset(${value("rows")}::jsonb)
      as new(id uuid, text text, text_at int, reasoning text, reasoning_at int, seq int, failovers jsonb)
    where runs.id = new.id and runs.epoch = ${value("epoch")}::uuid and runs.status = 'running'
    returning runs.id, runs.stop_requested as "stopRequested"`,
);

export interface Checkpoint {
  id: string;
  seq: number;
  /** What came after the position that the last checkpoint has saved, in characters of Postgres. */
  text: string;
  text_at: number;
  reasoning: string;
  reasoning_at: number;
  /** Null when there are no new ones. */
  failovers: Failover[] | null;
}

/** Runs that are missing from the answer are no longer this writer's. */
export function checkpointRuns(database: Database, epoch: string, rows: Checkpoint[]) {
  return checkpoint(database, { epoch, rows: JSON.stringify(rows) });
}

export interface RunEnd extends RunOutcome {
  runId: string;
  messageId: string;
  conversationId: string;
  epoch: string;
  seq: number;
  failovers: Failover[];
  receipt: Receipt;
}

const end = statement<Record<string, unknown>, { id: string }>(
  "end_run",
  sql`with ended as (
      update runs set status = ${value("status")}, text = '', reasoning = '', seq = ${value("seq")}::int,
        attempts = ${value("attempts")}::jsonb, failovers = ${value("failovers")}::jsonb, ended_at = now()
      where id = ${value("runId")}::uuid and epoch = ${value("epoch")}::uuid and status = 'running'
      returning id, message_id, user_id),
    ${charge},
    answer as (
      update messages set content = ${value("text")}, parts = ${value("parts")}::jsonb, status = ${value("messageStatus")},
        type = ${value("type")}, provider = ${value("provider")}, model = ${value("model")}, usage = ${value("usage")}::jsonb,
        finish_reason = ${value("finishReason")}, error = ${value("error")}::jsonb
      from ended where messages.id = ended.message_id)
    -- A second try after an answer that was lost finds the work done.
    select id from ended union all
    select id from runs where id = ${value("runId")}::uuid and epoch = ${value("epoch")}::uuid and status <> 'running'`,
);

/** The terminal state, once: false for a writer that was fenced. */
export async function endRun(database: Database, run: RunEnd): Promise<boolean> {
  const { content, parts, type, status } = answerFields(run);
  const spent = spentBy(run.receipt.attempts);
  const rows = await end(database, {
    runId: run.runId,
    epoch: run.epoch,
    status: run.status,
    seq: run.seq,
    attempts: JSON.stringify(run.receipt.attempts),
    failovers: JSON.stringify(run.failovers),
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
  });
  return rows.length === 1;
}

const requestStop = statement<{ runId: string; userId: string }, { role: MemberRole }>(
  "request_stop",
  sql`with mine as (
      select members.role from runs join members on members.conversation_id = runs.conversation_id
        and members.user_id = ${value("userId")}::uuid
      where runs.id = ${value("runId")}::uuid),
    marked as (
      update runs set stop_requested = true from mine
      where runs.id = ${value("runId")}::uuid and mine.role <> 'viewer' and runs.status = 'running')
    select role from mine`,
);

/** Marks a run to be stopped by whoever writes it. The caller's role in its conversation; null where there is none. */
export async function markStopped(database: Database, runId: string, userId: string): Promise<MemberRole | null> {
  const [mine] = await requestStop(database, { runId, userId });
  return mine?.role ?? null;
}

const chargeVanished = statement<Record<string, unknown>, never>(
  "charge_vanished_run",
  sql`with ended as (
      select ${value("runId")}::uuid as id, (select id from users where id = ${value("userId")}::uuid) as user_id
      where not exists (select from runs where id = ${value("runId")}::uuid)),
    ${charge}
    select 1 from ended`,
);

/** A run whose conversation was deleted meanwhile has cost what it has cost. */
export async function chargeVanishedRun(database: Database, { runId, userId, attempts }: Receipt & { userId: string }) {
  const { tokens: spentTokens, micros: spentMicros } = spentBy(attempts);
  await chargeVanished(database, { runId, userId, attempts: JSON.stringify(attempts), spentTokens, spentMicros });
}

export interface ReapedRun {
  runId: string;
  messageId: string;
  conversationId: string;
  memberIds: string[];
}

const interrupt = statement<{ epoch: string; includingLive: boolean; active: string }, ReapedRun>(
  "interrupt_runs",
  sql`with abandoned as (
      select id, message_id, conversation_id, text, reasoning from runs
      where status = 'running' and (lease_until < now() or (${value("includingLive")}::boolean and epoch <> ${value("epoch")}::uuid))
        and id <> all(array(select jsonb_array_elements_text(${value("active")}::jsonb)::uuid))
      for update skip locked),
    ended as (
      -- Followers may have seen more events than the last checkpoint: the end comes after all of them.
      update runs set status = 'interrupted', epoch = ${value("epoch")}::uuid, text = '', reasoning = '', ended_at = now(),
        seq = seq + 1000000
      from abandoned where runs.id = abandoned.id),
    answers as (
      update messages set content = abandoned.text, status = 'interrupted',
        parts = case when abandoned.reasoning = '' then '[]'::jsonb
          else jsonb_build_array(jsonb_build_object('type', 'reasoning', 'text', abandoned.reasoning)) end
          || case when abandoned.text = '' then '[]'::jsonb
          else jsonb_build_array(jsonb_build_object('type', 'text', 'text', abandoned.text)) end
      from abandoned where messages.id = abandoned.message_id)
    select id as "runId", message_id as "messageId", conversation_id as "conversationId",
      (select json_agg(user_id) from members where members.conversation_id = abandoned.conversation_id) as "memberIds"
    from abandoned`,
);

/** Ends runs whose writer no longer renews its lease, with the text that its last checkpoint saved. */
export function interruptAbandonedRuns(
  database: Database,
  { active, ...which }: { epoch: string; includingLive: boolean; active: string[] },
) {
  return interrupt(database, { ...which, active: JSON.stringify(active) });
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
}

const saved = statement<{ runId: string; userId: string }, SavedRun>(
  "saved_run",
  sql`select runs.message_id as "messageId", runs.conversation_id as "conversationId", runs.provider, runs.model, runs.status,
      runs.seq, runs.attempts, runs.failovers, messages.finish_reason as "finishReason", messages.error,
      case when runs.status = 'running' then runs.text else messages.content end as text,
      case when runs.status = 'running' then runs.reasoning
        else coalesce((select part->>'text' from jsonb_array_elements(messages.parts) as part where part->>'type' = 'reasoning' limit 1), '')
        end as reasoning
    from runs
    join messages on messages.id = runs.message_id
    join members on members.conversation_id = runs.conversation_id and members.user_id = ${value("userId")}::uuid
    where runs.id = ${value("runId")}::uuid`,
);

/** Null for a run that does not exist and for one in somebody else's conversation. */
export async function findSavedRun(database: Database, runId: string, userId: string): Promise<SavedRun | null> {
  const [run] = await saved(database, { runId, userId });
  return run ?? null;
}
