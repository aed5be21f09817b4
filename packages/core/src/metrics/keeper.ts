import type { Ports } from "../ports.ts";
import {
  addCalls,
  addReadings,
  beginOf,
  type EndpointCounts,
  type EndpointStretch,
  endpointWidths,
  type SavedStretch,
  widths,
} from "./buckets.ts";
import { findOpenSamples, saveSamples, sweepSamples } from "./queries.ts";
import { rounded, type Values } from "./readings.ts";

/** What cannot be saved waits in memory: about a day of it. */
const mostSamples = 3_200;
const mostEndpoints = 20_000;
/** So many rows in one statement. */
const atOnce = 1_000;
const sweepMs = 10 * 60_000;

type Row = SavedStretch | EndpointStretch;

export type Keeper = ReturnType<typeof createKeeper>;

/**
 * Turns readings into rows. The stretch that is under way is written again with each reading, in every width, so that nothing
 * has to be summed up later; after a restart a node goes on with what it had.
 */
export function createKeeper({
  database,
  background,
  clock,
  system: { node },
}: Pick<Ports, "database" | "background" | "clock" | "system">) {
  const samples = new Map<string, SavedStretch>();
  const endpoints = new Map<string, EndpointStretch>();
  let isResumed = false;
  let latest = 0;

  background.every("sweep metrics", sweepMs, () => sweepSamples(database, clock.now()));

  /** What was saved before this process began. */
  async function resume() {
    const stretches = new Map(Array.from(samples.values(), ({ seconds, at }) => [`${seconds} ${at}`, { seconds, at }]));
    const found = await findOpenSamples(database, node, Array.from(stretches.values()));
    if (isResumed) return;
    isResumed = true;
    for (const before of found.samples) {
      const mine = samples.get(keyOf(before));
      if (!mine) continue;
      addReadings(before, mine);
      samples.set(keyOf(before), { ...before, details: mine.details });
    }
    for (const before of found.endpoints) {
      const mine = endpoints.get(keyOf(before));
      if (mine) addCalls(before, mine);
      endpoints.set(keyOf(before), before);
    }
  }

  /** Before this moment's stretch nothing will be added any more. */
  function forget<Kept extends Row>(kept: Map<string, Kept>, saved: readonly Kept[], moment: number) {
    for (const row of saved) if (row.at < beginOf(moment, row.seconds)) kept.delete(keyOf(row));
  }

  return {
    add(at: number, values: Values, details: SavedStretch["details"], calls: readonly EndpointCounts[]) {
      // A clock that was put back would begin anew what has been saved.
      latest = Math.max(latest, at);
      const moment = latest;
      for (const seconds of widths) {
        const at = beginOf(moment, seconds);
        const sample = keep(samples, { seconds, at, readings: 0, values: {}, details }, mostSamples);
        addReadings(sample, { readings: 1, values });
        sample.details = details;
      }
      for (const seconds of endpointWidths) {
        const at = beginOf(moment, seconds);
        for (const more of calls) {
          const { procedure } = more;
          const none = { seconds, at, procedure, totalSeconds: 0, mostSeconds: 0, counts: [], errors: {} };
          addCalls(keep(endpoints, none, mostEndpoints), more);
        }
      }
    },

    /** A database that is away is given the rest later. */
    async save() {
      const moment = latest;
      if (!isResumed) await resume();
      const [everySample, everyEndpoint] = [Array.from(samples.values()), Array.from(endpoints.values())];
      for (let from = 0; from < Math.max(everySample.length, everyEndpoint.length); from += atOnce) {
        const some = everySample.slice(from, from + atOnce);
        const calls = everyEndpoint.slice(from, from + atOnce);
        const written = some.map((sample) => ({ ...sample, values: rounded(sample.values) }));
        await saveSamples(database, { node, samples: written, endpoints: calls });
        forget(samples, some, moment);
        forget(endpoints, calls, moment);
      }
    },
  };
}

function keep<Kept extends Row>(kept: Map<string, Kept>, fresh: Kept, most: number): Kept {
  const key = keyOf(fresh);
  const known = kept.get(key);
  if (known) return known;
  const [oldest] = kept.keys();
  if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
  kept.set(key, fresh);
  return fresh;
}

const keyOf = (row: Row) => `${row.seconds} ${row.at} ${"procedure" in row ? row.procedure : ""}`;
