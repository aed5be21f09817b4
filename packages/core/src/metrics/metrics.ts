import type { Connections, CurrentMetrics, Endpoints, GetSpending, MetricsRange, Series, Spending } from "@parley/contract";
import { CurrentMetrics as CurrentShape } from "@parley/contract";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { beginOf } from "./buckets.ts";
import { readDatabase } from "./database-queries.ts";
import { countOf, quantile } from "./instruments.ts";
import type { Meters } from "./meters.ts";
import { type NodeRow, type ReadingsRow, readEndpoints, readNodes, readReadings } from "./queries.ts";
import { type SeriesName, series } from "./readings.ts";
import { sumSpending } from "./spending-queries.ts";

const hourMs = 60 * 60_000;

interface Resolution {
  ms: number;
  /** The width of what is read, in seconds. */
  seconds: number;
  endpointSeconds: number;
}

const resolutions: Record<MetricsRange, Resolution> = {
  "1h": { ms: hourMs, seconds: 30, endpointSeconds: 300 },
  "24h": { ms: 24 * hourMs, seconds: 300, endpointSeconds: 300 },
  "7d": { ms: 7 * 24 * hourMs, seconds: 3_600, endpointSeconds: 3_600 },
};
const spendingMs = { "24h": 24 * hourMs, "7d": 7 * 24 * hourMs, "30d": 30 * 24 * hourMs };

export type Metrics = ReturnType<typeof createMetrics>;

/** What operators read. */
export function createMetrics(
  { database, clock }: Pick<Ports, "database" | "clock">,
  { metrics: { everyMs } }: Pick<Settings, "metrics">,
  { meters }: { meters: Meters },
) {
  const now = () => clock.now().getTime();
  /** Who has said nothing for longer is gone. */
  const silenceMs = Math.max(120_000, 2.5 * everyMs);
  const nodesNow = () => readNodes(database, new Date(now() - silenceMs));

  return {
    async current(): Promise<CurrentMetrics> {
      const [nodes, counts] = await Promise.all([nodesNow(), readDatabase(database, clock.now())]);
      return {
        nodes: nodes.map(currentOf),
        units: Object.fromEntries(Object.entries(series).map(([name, { unit }]) => [name, unit])),
        database: counts && { bytes: counts.bytes, rows: counts.rows },
      };
    },

    async series(range: MetricsRange): Promise<Series> {
      const { ms, seconds } = resolutions[range];
      const stepMs = seconds * 1_000;
      const from = beginOf(now() - ms + stepMs, seconds);
      const length = ms / stepMs;
      const rows = await readReadings(database, { seconds, from });
      const begin = new Date(from);
      return {
        range,
        from: begin,
        to: new Date(begin.getTime() + ms),
        stepMs,
        series: rows
          .flatMap((row) => drawn(row, length))
          .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0)),
      };
    },

    async endpoints(range: MetricsRange): Promise<Endpoints> {
      const { ms, endpointSeconds: seconds } = resolutions[range];
      const rows = await readEndpoints(database, { seconds, from: beginOf(now() - ms + seconds * 1_000, seconds) });
      const items = rows.map(({ procedure, counts, errors, totalSeconds, mostSeconds: most }) => {
        const calls = countOf(counts);
        const share = (wanted: number) => milliseconds(quantile({ counts, most }, meters.calls.bounds, wanted));
        return {
          procedure,
          calls,
          errors: countOf(Object.values(errors)),
          reasons: errors,
          meanMs: calls === 0 ? null : milliseconds(totalSeconds / calls),
          p50Ms: share(0.5),
          p95Ms: share(0.95),
          p99Ms: share(0.99),
        };
      });
      return { range, items };
    },

    async usage({ range, by }: GetSpending): Promise<Spending> {
      const since = new Date(now() - spendingMs[range]);
      return { range, by, since, items: await sumSpending(database, by, since) };
    },

    async connections(): Promise<Connections> {
      const nodes = (await nodesNow()).map(({ node, at, values }) => ({
        name: node,
        at: new Date(at),
        sockets: Math.round(values.sockets ?? 0),
        subscriptions: Math.round(values.subscriptions ?? 0),
        runs: Math.round(values.runs_active ?? 0),
      }));
      const sum = (name: "sockets" | "subscriptions" | "runs") => nodes.reduce((total, node) => total + node[name], 0);
      return { nodes, sockets: sum("sockets"), subscriptions: sum("subscriptions"), runs: sum("runs") };
    },
  };
}

function currentOf({ node, at, values, details }: NodeRow): CurrentMetrics["nodes"][number] {
  const { startedAt, ...rest } = details;
  return CurrentShape.shape.nodes.element.parse({
    name: node,
    at: new Date(at),
    values,
    details: { ...rest, startedAt: new Date(String(startedAt)) },
  });
}

/** The series of a node, with null where nobody looked. */
function drawn({ node, places, readings }: ReadingsRow, length: number): Series["series"] {
  const byName = new Map<string, (number | null)[]>();
  for (const [index, reading] of readings.entries()) {
    const place = places[index] ?? length;
    if (place >= length) continue;
    for (const [name, value] of Object.entries(reading)) {
      const known = byName.get(name);
      const values = known ?? new Array<number | null>(length).fill(null);
      if (!known) byName.set(name, values);
      values[place] = value;
    }
  }
  return Array.from(byName, ([name, values]) => ({ name, unit: unitOf(name), node, values }));
}

const unitOf = (name: string) => (name in series ? series[name as SeriesName].unit : "");

const milliseconds = (seconds: number | null) => (seconds === null ? null : Math.round(seconds * 1_000_000) / 1_000);
