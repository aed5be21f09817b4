import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

export interface DatabaseCounts {
  activeUsers: number;
  activeSessions: number;
  /** By the database's own estimate: nothing is counted. */
  rows: Record<string, number>;
  bytes: number;
}

const activeMs = 15 * 60_000;

// What the collector of statistics has counted; after a crash it begins anew, and density times size takes its place.
const counts = statement<{ since: string }, DatabaseCounts>(
  "database_counts",
  sql`select active.users as "activeUsers", active.sessions as "activeSessions",
      pg_database_size(current_database())::float8 as bytes,
      (select jsonb_object_agg(class.relname, (case when class.reltuples >= 0 and coalesce(stats.last_analyze, stats.last_autoanalyze) is null
          then class.reltuples / greatest(class.relpages, 1) * (pg_relation_size(class.oid) / current_setting('block_size')::int)
          else stats.n_live_tup end)::bigint)
        from pg_class as class join pg_stat_user_tables as stats on stats.relid = class.oid where stats.schemaname = 'public') as rows
    from (select count(distinct user_id)::int as users, count(*)::int as sessions from sessions
      where last_active_at > ${value("since")}::timestamptz and ended_at is null) as active`,
);

export async function readDatabase(database: Database, now: Date): Promise<DatabaseCounts | null> {
  const [found] = await counts(database, { since: new Date(now.getTime() - activeMs).toISOString() });
  return found ?? null;
}

/** Autovacuum's own rule, the most outgrown first. */
const outgrown = statement<Record<string, never>, { name: string }>(
  "outgrown_table",
  sql`select quote_ident(class.relname) as name
    from pg_class as class join pg_stat_user_tables as stats on stats.relid = class.oid
    where stats.schemaname = 'public' and pg_relation_size(class.oid) > 0
      and (stats.last_analyze is null or stats.n_mod_since_analyze > 50 + class.reltuples / 10)
    order by stats.last_analyze is not null, stats.n_mod_since_analyze desc limit 1`,
);

/** One table at a time, and by a sample of it that is read within some milliseconds however large it is. */
export async function analyzeOutgrown(database: Database): Promise<void> {
  const [table] = await outgrown(database, {});
  if (!table) return;
  await database.transaction(async (transaction) => {
    await transaction.execute(sql`set local default_statistics_target = 10`);
    await transaction.execute(sql.raw(`analyze public.${table.name}`));
  });
}
