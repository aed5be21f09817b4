import { sql } from "drizzle-orm";
import { advisoryLocks } from "../database/advisory-locks.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { type EndpointStretch, kept, narrowest, type SavedStretch } from "./buckets.ts";
import { callBounds } from "./meters.ts";

interface Kept {
  node: string;
  samples: SavedStretch[];
  endpoints: EndpointStretch[];
}

const save = statement<{ node: string; samples: string; endpoints: string }, never>(
  "save_metrics",
  sql`with kept as (
      insert into metric_samples (seconds, at, node, readings, values, details)
      select seconds, at, ${value("node")}::text, readings, values, details
      from jsonb_to_recordset(${value("samples")}::jsonb) as given(seconds int, at timestamptz, readings int, values jsonb, details jsonb)
      on conflict (seconds, at, node) do update
        set readings = excluded.readings, values = excluded.values, details = excluded.details)
    insert into endpoint_samples (seconds, at, node, procedure, total_seconds, most_seconds, counts, errors)
    select seconds, at, ${value("node")}::text, procedure, "totalSeconds", "mostSeconds", counts, errors
    from jsonb_to_recordset(${value("endpoints")}::jsonb)
      as given(seconds int, at timestamptz, procedure text, "totalSeconds" float8, "mostSeconds" float8, counts int[],
        errors jsonb)
    on conflict (seconds, at, node, procedure) do update
      set total_seconds = excluded.total_seconds, most_seconds = excluded.most_seconds, counts = excluded.counts, errors = excluded.errors`,
);

export async function saveSamples(database: Database, { node, samples, endpoints }: Kept): Promise<void> {
  await save(database, { node, samples: JSON.stringify(samples), endpoints: JSON.stringify(endpoints) });
}

const iso = (column: string) => sql.raw(`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);

const open = statement<{ node: string; open: string }, Pick<Kept, "samples" | "endpoints">>(
  "open_metrics",
  sql`with open as (select * from jsonb_to_recordset(${value("open")}::jsonb) as given(seconds int, at timestamptz))
    select
      coalesce((select jsonb_agg(jsonb_build_object('seconds', seconds, 'at', ${iso("at")}, 'readings', readings, 'values', values, 'details', details))
        from metric_samples natural join open where node = ${value("node")}::text), '[]') as samples,
      coalesce((select jsonb_agg(jsonb_build_object('seconds', seconds, 'at', ${iso("at")}, 'procedure', procedure,
          'totalSeconds', total_seconds, 'mostSeconds', most_seconds, 'counts', counts, 'errors', errors))
        from endpoint_samples natural join open where node = ${value("node")}::text), '[]') as endpoints`,
);

/** What a node had of these stretches before it was started again. */
export async function findOpenSamples(
  database: Database,
  node: string,
  stretches: { seconds: number; at: string }[],
): Promise<Pick<Kept, "samples" | "endpoints">> {
  const [found] = await open(database, { node, open: JSON.stringify(stretches) });
  return found ?? { samples: [], endpoints: [] };
}

const limits = sql.raw(kept.map(({ seconds, hours }) => `(${seconds}, interval '${hours} hours')`).join(", "));

const sweep = statement<{ now: string }, never>(
  "sweep_metrics",
  sql`with mine as (select pg_try_advisory_xact_lock(${sql.raw(advisoryLocks.metricsSweep)}) as mine),
    limits(seconds, keep) as (values ${limits}),
    swept as (delete from metric_samples using limits, mine
      where mine and metric_samples.seconds = limits.seconds and at < ${value("now")}::timestamptz - keep)
    delete from endpoint_samples using limits, mine
      where mine and endpoint_samples.seconds = limits.seconds and at < ${value("now")}::timestamptz - keep`,
);

/** One node at a time. */
export async function sweepSamples(database: Database, now: Date): Promise<void> {
  await sweep(database, { now: now.toISOString() });
}

export interface ReadingsRow {
  node: string;
  /** Which stretch after the first, and how it was. */
  places: number[];
  readings: Record<string, number>[];
}

interface Stretch {
  seconds: number;
  /** ISO. */
  from: string;
}

/** Of nodes that come and go under new names, the last ones are drawn. */
const mostNodes = 50;

// By node and not by series: taking each value out of its row costs the database twenty times as much as us.
const read = statement<Stretch, ReadingsRow>(
  "read_series",
  sql`select * from (
      select node, json_agg((extract(epoch from at - ${value("from")}::timestamptz) / ${value("seconds")}::int)::int) as places,
        json_agg(values) as readings
      from metric_samples where seconds = ${value("seconds")}::int and at >= ${value("from")}::timestamptz
      group by node order by max(at) desc, node limit ${sql.raw(String(mostNodes))}) as drawn
    order by node`,
);

export async function readReadings(database: Database, stretch: Stretch): Promise<ReadingsRow[]> {
  return read(database, stretch);
}

export interface EndpointRow extends Omit<EndpointStretch, "seconds" | "at"> {}

/** By place and not by `unnest`: a tenth of the time. */
const sumsOfCounts = sql.raw(
  Array.from({ length: callBounds.length + 1 }, (_, place) => `sum(counts[${place + 1}])::int`).join(", "),
);

const readCalls = statement<Stretch, EndpointRow>(
  "read_endpoints",
  sql`with reasons as (
      select procedure, jsonb_object_agg(reason, count) as errors from (
        select procedure, reason, sum(count::int)::int as count from endpoint_samples, jsonb_each_text(errors) as failed(reason, count)
        where seconds = ${value("seconds")}::int and at >= ${value("from")}::timestamptz group by procedure, reason) as failed
      group by procedure),
    calls as (
      select procedure, sum(total_seconds) as "totalSeconds", max(most_seconds) as "mostSeconds", jsonb_build_array(${sumsOfCounts}) as counts
      from endpoint_samples where seconds = ${value("seconds")}::int and at >= ${value("from")}::timestamptz group by procedure)
    select procedure, "totalSeconds", "mostSeconds", counts, coalesce(errors, '{}') as errors
    from calls left join reasons using (procedure) order by procedure`,
);

/** The calls of all nodes, by procedure. */
export async function readEndpoints(database: Database, stretch: Stretch): Promise<EndpointRow[]> {
  return readCalls(database, stretch);
}

export interface NodeRow {
  node: string;
  at: string;
  values: Record<string, number>;
  details: Record<string, unknown>;
}

const latest = statement<{ since: string }, NodeRow>(
  "latest_samples",
  sql`select distinct on (node) node, at, values, details from metric_samples
    where seconds = ${sql.raw(String(narrowest))} and at > ${value("since")}::timestamptz order by node, at desc`,
);

/** How each node was just now: those that have written since. */
export async function readNodes(database: Database, since: Date): Promise<NodeRow[]> {
  return latest(database, { since: since.toISOString() });
}
