import type { Receipt } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { spentBy } from "../tokens/costs.ts";

/** UTC. A run stays in the month in which something was first set aside for it. */
const thisMonth = sql`date_trunc('month', now() at time zone 'utc')::date`;

const openMonth = statement<{ userId: string }, never>(
  "open_budget_month",
  sql`insert into budget_months (user_id, month) values (${value("userId")}::uuid, ${thisMonth}) on conflict do nothing`,
);

interface LockedMonth {
  month: string;
  usedTokens: number;
  usedMicros: number;
  /** By other runs. */
  heldTokens: number;
  heldMicros: number;
}

// The row is changed by a statement of its own: locking and changing it in one lets Postgres find deadlocks among many at once.
const lock = statement<{ userId: string; runId: string }, LockedMonth>(
  "lock_budget_month",
  sql`select month::text, used_tokens::float8 as "usedTokens", used_micros::float8 as "usedMicros",
      (held_tokens - coalesce((select tokens from budget_holds where run_id = ${value("runId")}::uuid), 0))::float8 as "heldTokens",
      (held_micros - coalesce((select micros from budget_holds where run_id = ${value("runId")}::uuid), 0))::float8 as "heldMicros"
    from budget_months where user_id = ${value("userId")}::uuid
      and month = coalesce((select month from budget_holds where run_id = ${value("runId")}::uuid), ${thisMonth}) for update`,
);

/** Whoever wants to set something aside for the same person waits until the transaction is over. */
export async function lockMonth(transaction: Database, run: { userId: string; runId: string }): Promise<LockedMonth> {
  const [month] = await lock(transaction, run);
  if (month) return month;
  await openMonth(transaction, { userId: run.userId });
  const [opened] = await lock(transaction, run);
  if (!opened) throw new Error("A month that was just opened is not there");
  return opened;
}

interface Hold extends Pick<LockedMonth, "month" | "heldTokens" | "heldMicros"> {
  runId: string;
  userId: string;
  tokens: number;
  micros: number;
}

const hold = statement<Hold, never>(
  "hold_budget",
  sql`with held as (
      insert into budget_holds (run_id, user_id, month, tokens, micros)
      values (${value("runId")}::uuid, ${value("userId")}::uuid, ${value("month")}::date, ${value("tokens")}::bigint, ${value("micros")}::bigint)
      on conflict (run_id) do update set tokens = excluded.tokens, micros = excluded.micros)
    update budget_months set held_tokens = ${value("heldTokens")}::bigint + ${value("tokens")}::bigint,
      held_micros = ${value("heldMicros")}::bigint + ${value("micros")}::bigint
    where user_id = ${value("userId")}::uuid and month = ${value("month")}::date`,
);

/** In place of what the run held before. */
export async function setHold(transaction: Database, wanted: Hold): Promise<void> {
  await hold(transaction, wanted);
}

interface Amount {
  tokens: number;
  micros: number;
}

const taken = statement<{ userId: string }, { used: Amount; held: Amount }>(
  "budget_taken",
  sql`select json_build_object('tokens', used_tokens, 'micros', used_micros) as used,
      json_build_object('tokens', held_tokens, 'micros', held_micros) as held
    from budget_months where user_id = ${value("userId")}::uuid and month = ${thisMonth}`,
);

/** What is spent this month, and what is set aside. */
export async function findTaken(database: Database, userId: string): Promise<{ used: Amount; held: Amount }> {
  const [found] = await taken(database, { userId });
  return found ?? { used: { tokens: 0, micros: 0 }, held: { tokens: 0, micros: 0 } };
}

/** Ids begin with the time at which they were made, in milliseconds. */
const aMinuteAgo = sql`(lpad(to_hex((extract(epoch from now() - interval '1 minute') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

const release = statement<Record<string, never>, never>(
  "release_budget_holds",
  sql`with gone as (
      delete from budget_holds where not exists (select from runs where runs.id = budget_holds.run_id and runs.status = 'running')
        -- A title or a summary has no run, and takes no longer than that.
        and (run_id < ${aMinuteAgo} or exists (select from runs where runs.id = budget_holds.run_id))
      returning user_id, month, tokens, micros)
    update budget_months set held_tokens = held_tokens - given.tokens, held_micros = held_micros - given.micros
      from (select user_id, month, sum(tokens) as tokens, sum(micros) as micros from gone group by user_id, month) as given
      where budget_months.user_id = given.user_id and budget_months.month = given.month`,
);

/** Gives back what was set aside for runs that no longer run. */
export async function releaseHolds(database: Database): Promise<void> {
  await release(database, {});
}

/**
 * Part of the statement that ends a run: what was spent goes to the ledger and to the month, and what was set aside is free
 * again. It reads `ended`, so that only the writer who ends a run charges for it.
 */
export const charge = sql`
    spent as (
      insert into usage_ledger (run_id, attempt, user_id, provider, model, outcome, input, cache_read, cache_write, output, estimated,
        cost_micros)
      select ended.id, place, ended.user_id, made ->> 'provider', made ->> 'model', made ->> 'outcome',
        (made -> 'tokens' ->> 'input')::bigint, (made -> 'tokens' ->> 'cacheRead')::bigint, (made -> 'tokens' ->> 'cacheWrite')::bigint,
        (made -> 'tokens' ->> 'output')::bigint, (made ->> 'estimated')::boolean, (made ->> 'costMicros')::bigint
      from ended, jsonb_array_elements(${value("attempts")}::jsonb) with ordinality as attempt(made, place)),
    freed as (
      delete from budget_holds using ended where budget_holds.run_id = ended.id returning month, tokens, micros),
    charged as (
      insert into budget_months (user_id, month, used_tokens, used_micros)
      select user_id, coalesce((select month from freed), ${thisMonth}), ${value("spentTokens")}::bigint, ${value("spentMicros")}::bigint
      from ended where user_id is not null
      on conflict (user_id, month) do update set used_tokens = budget_months.used_tokens + excluded.used_tokens,
        used_micros = budget_months.used_micros + excluded.used_micros,
        held_tokens = budget_months.held_tokens - coalesce((select tokens from freed), 0),
        held_micros = budget_months.held_micros - coalesce((select micros from freed), 0))`;

interface Charge {
  runId: string;
  userId: string;
  attempts: string;
  spentTokens: number;
  spentMicros: number;
}

const chargeAlone = statement<Charge, never>(
  "charge_without_run",
  sql`with ended as (
      select ${value("runId")}::uuid as id, (select id from users where id = ${value("userId")}::uuid) as user_id
      where not exists (select from runs where id = ${value("runId")}::uuid)),
    ${charge}
    select 1 from ended`,
);

/** What has no run costs too: a task of ours, and a run whose conversation was deleted meanwhile. */
export async function chargeWithoutRun(database: Database, { runId, userId, attempts }: Receipt & { userId: string }) {
  const { tokens: spentTokens, micros: spentMicros } = spentBy(attempts);
  await chargeAlone(database, { runId, userId, attempts: JSON.stringify(attempts), spentTokens, spentMicros });
}

const chargeFenced = statement<Omit<Charge, "userId">, never>(
  "charge_fenced_run",
  sql`with ended as (
      update runs set attempts = ${value("attempts")}::jsonb
      where id = ${value("runId")}::uuid and status <> 'running' and attempts = '[]'::jsonb returning id, user_id),
    ${charge}
    select 1 from runs where id = ${value("runId")}::uuid`,
);

/** What a writer has spent whose run another one has ended without knowing of it. False when there is no such run. */
export async function chargeFencedRun(database: Database, { runId, attempts }: Receipt): Promise<boolean> {
  const { tokens: spentTokens, micros: spentMicros } = spentBy(attempts);
  const found = await chargeFenced(database, { runId, attempts: JSON.stringify(attempts), spentTokens, spentMicros });
  return found.length > 0;
}
