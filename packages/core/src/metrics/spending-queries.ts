import type { GetSpending, Spending } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

type By = GetSpending["by"];

/** What a row of the ledger is put under, and what that is called. */
const groups: Record<By, { key: SQL; label: SQL }> = {
  user: { key: sql`users.id::text`, label: sql`coalesce(users.display_name, 'deleted accounts')` },
  plan: { key: sql`users.plan`, label: sql`coalesce(users.plan, 'deleted accounts')` },
  model: { key: sql`usage_ledger.model`, label: sql`usage_ledger.model` },
  provider: { key: sql`usage_ledger.provider`, label: sql`usage_ledger.provider` },
  day: {
    key: sql`to_char(usage_ledger.created_at at time zone 'utc', 'YYYY-MM-DD')`,
    label: sql`to_char(usage_ledger.created_at at time zone 'utc', 'YYYY-MM-DD')`,
  },
};

const mostItems = 100;

const sums = (by: By) =>
  statement<{ since: string }, Spending["items"][number]>(
    `spending_by_${by}`,
    sql`select ${groups[by].key} as key, ${groups[by].label} as label, count(distinct run_id)::int as answers, count(*)::int as calls,
        sum(input + cache_read + cache_write + output)::float8 as tokens,
        case when count(*) = count(cost_micros) then sum(cost_micros)::float8 end as "costMicros"
      from usage_ledger left join users on users.id = usage_ledger.user_id
      where usage_ledger.created_at >= ${value("since")}::timestamptz
      group by 1, 2 order by ${by === "day" ? sql`1 desc` : sql`tokens desc, 1`} limit ${sql.raw(String(mostItems))}`,
  );

const byGroup = { user: sums("user"), plan: sums("plan"), model: sums("model"), provider: sums("provider"), day: sums("day") };

export async function sumSpending(database: Database, by: By, since: Date): Promise<Spending["items"]> {
  return byGroup[by](database, { since: since.toISOString() });
}
