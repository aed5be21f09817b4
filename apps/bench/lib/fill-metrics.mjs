// A week of two nodes, as they would have written it: every series in every width, and 70 procedures.
import postgres from "postgres";

const nodes = ["node-1", "node-2"];
const widths = { 30: 24, 300: 7 * 24, 3_600: 7 * 24 };
const procedures = 70;
const buckets = 15;

export const metricsPath = (name, range) => `/trpc/metrics.${name}?input=${encodeURIComponent(JSON.stringify({ json: { range } }))}`;

export async function fillMetrics({ databaseUrl }) {
  const sql = postgres(databaseUrl, { max: 1, onnotice() {} });
  try {
    const [{ names }] = await sql`select array(select jsonb_object_keys(values) from metric_samples group by 1) as names`;
    const known = Array.from({ length: Math.max(35, names.length) }, (_, index) => names[index] ?? `more_${index}`);
    for (const [seconds, hours] of Object.entries(widths)) {
      await sql`insert into metric_samples (seconds, at, node, readings, values, details)
        select ${Number(seconds)}, at, node, 1,
          (select jsonb_object_agg(name, round((random() * 100000)::numeric, 2)) from unnest(${known}::text[]) as name where at is not null),
          '{"version":"0","runtime":"Node","os":"Linux","cores":2,"startedAt":"2026-01-01T00:00:00Z"}'
        from generate_series(0, ${(hours * 3_600) / Number(seconds)}) as back,
          lateral (select to_timestamp(floor(extract(epoch from now()) / ${Number(seconds)}) * ${Number(seconds)} - back * ${Number(seconds)}) as at) as times,
          unnest(${nodes}::text[]) as node
        on conflict do nothing`;
      if (Number(seconds) === 30) continue;
      await sql`insert into endpoint_samples (seconds, at, node, procedure, total_seconds, most_seconds, counts, errors)
        select ${Number(seconds)}, at, node, 'subject.procedure' || number, random(), random(), array_fill(1, array[${buckets}::int]),
          case when number % 10 = 0 then '{"not_found":1}' else '{}' end::jsonb
        from generate_series(0, ${(hours * 3_600) / Number(seconds)}) as back,
          lateral (select to_timestamp(floor(extract(epoch from now()) / ${Number(seconds)}) * ${Number(seconds)} - back * ${Number(seconds)}) as at) as times,
          unnest(${nodes}::text[]) as node, generate_series(1, ${procedures}) as number
        on conflict do nothing`;
    }
    await sql`analyze metric_samples, endpoint_samples`;
  } finally {
    await sql.end();
  }
}
