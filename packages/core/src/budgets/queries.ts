import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

/** UTC. A run stays in the month in which something was first set aside for it. */
export const thisMonth = sql`date_trunc('month', now() at time zone 'utc')::date`;

const openMonth = statement<{ userId: string }, never>(
  "open_budget_month",
  sql`insert into budget_months (user_id, month) values (${value("userId")}::uuid, ${thisMonth}) on conflict do nothing`,
);

export interface Wish {
  runId: string;
  userId: string;
  /** Null is no limit. */
  tokenLimit: number | null;
  microLimit: number | null;
  /** By earlier calls of the same run: charged when it ends. */
  spentTokens: number;
  spentMicros: number;
  inputTokens: number;
  inputMicros: number;
  /** Micro-units for a million tokens of output. */
  outputPrice: number;
  maxOutput: number;
  minOutput: number;
}

// The month's row is locked first, so that fifty at once are one after the other; what the run held before makes room for itself.
const hold = statement<Record<string, unknown>, { output: number | null }>(
  "hold_budget",
  sql`with earlier as (select month, tokens, micros from budget_holds where run_id = ${value("runId")}::uuid),
    account as (
      select * from budget_months where user_id = ${value("userId")}::uuid
        and month = coalesce((select month from earlier), ${thisMonth}) for update),
    free as (
      select account.month, coalesce((select tokens from earlier), 0) as old_tokens, coalesce((select micros from earlier), 0) as old_micros,
        ${value("tokenLimit")}::bigint - used_tokens - held_tokens - ${value("spentTokens")}::bigint - ${value("inputTokens")}::bigint
          + coalesce((select tokens from earlier), 0) as tokens,
        ${value("microLimit")}::bigint - used_micros - held_micros - ${value("spentMicros")}::bigint - ${value("inputMicros")}::bigint
          + coalesce((select micros from earlier), 0) as micros
      from account),
    granted as (
      select *, least(${value("maxOutput")}::bigint, coalesce(tokens, ${value("maxOutput")}::bigint),
          case when micros is null then ${value("maxOutput")}::bigint
            when micros < 0 then -1
            when ${value("outputPrice")}::float8 = 0 then ${value("maxOutput")}::bigint
            else least(floor(micros * 1000000.0 / ${value("outputPrice")}::float8), ${value("maxOutput")}::bigint)::bigint end) as output
      from free),
    wanted as (
      select month, output, old_tokens, old_micros,
        ${value("spentTokens")}::bigint + ${value("inputTokens")}::bigint + output as new_tokens,
        ${value("spentMicros")}::bigint + ${value("inputMicros")}::bigint + ceil(output * ${value("outputPrice")}::float8 / 1000000)::bigint as new_micros
      from granted where output >= ${value("minOutput")}::bigint),
    held as (
      insert into budget_holds (run_id, user_id, month, tokens, micros)
      select ${value("runId")}::uuid, ${value("userId")}::uuid, month, new_tokens, new_micros from wanted
      on conflict (run_id) do update set tokens = excluded.tokens, micros = excluded.micros),
    counted as (
      update budget_months set held_tokens = held_tokens + wanted.new_tokens - wanted.old_tokens,
        held_micros = held_micros + wanted.new_micros - wanted.old_micros
      from wanted where budget_months.user_id = ${value("userId")}::uuid and budget_months.month = wanted.month)
    select (select output::int from wanted) as output from account`,
);

/** Sets aside what a call may take at most. The output that there is room for; null where there is not enough. */
export async function holdBudget(database: Database, wish: Wish): Promise<number | null> {
  const values = { ...wish };
  const [held] = await hold(database, values);
  if (held) return held.output;
  await openMonth(database, { userId: wish.userId });
  const [again] = await hold(database, values);
  return again?.output ?? null;
}

const left = statement<{ userId: string }, { tokens: number; micros: number }>(
  "budget_taken",
  sql`select (used_tokens + held_tokens)::float8 as tokens, (used_micros + held_micros)::float8 as micros
    from budget_months where user_id = ${value("userId")}::uuid and month = ${thisMonth}`,
);

/** What is spent or set aside this month. */
export async function findTaken(database: Database, userId: string) {
  const [taken] = await left(database, { userId });
  return taken ?? { tokens: 0, micros: 0 };
}

const release = statement<Record<string, never>, { runId: string }>(
  "release_budget_holds",
  sql`with gone as (
      delete from budget_holds where not exists (select from runs where runs.id = budget_holds.run_id and runs.status = 'running')
      returning run_id, user_id, month, tokens, micros),
    counted as (
      update budget_months set held_tokens = held_tokens - given.tokens, held_micros = held_micros - given.micros
      from (select user_id, month, sum(tokens) as tokens, sum(micros) as micros from gone group by user_id, month) as given
      where budget_months.user_id = given.user_id and budget_months.month = given.month)
    select run_id as "runId" from gone`,
);

/** Gives back what was set aside for runs that no longer run. */
export function releaseHolds(database: Database) {
  return release(database, {});
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
