import type { EndpointCounts } from "./buckets.ts";
import type { Meters } from "./meters.ts";

interface Totals {
  counts: readonly number[];
  sum: number;
}

/** The calls of each procedure since it was last asked; none for whom nobody called. */
export function createCallCounts({ calls, callErrors }: Pick<Meters, "calls" | "callErrors">) {
  const before = new Map<string, Totals>();
  const errorsBefore = new Map<string, number>();

  function errorsSince(): Map<string, Record<string, number>> {
    const found = new Map<string, Record<string, number>>();
    for (const { labels, value } of callErrors.cells()) {
      const [procedure = "", reason = ""] = labels;
      const key = `${procedure} ${reason}`;
      const grown = value - (errorsBefore.get(key) ?? 0);
      if (grown === 0) continue;
      errorsBefore.set(key, value);
      found.set(procedure, { ...found.get(procedure), [reason]: grown });
    }
    return found;
  }

  return function callCounts(): EndpointCounts[] {
    const errors = errorsSince();
    const found: EndpointCounts[] = [];
    for (const { labels, counts, sum, most } of calls.cells()) {
      const [procedure = ""] = labels;
      const known = before.get(procedure);
      const since = counts.map((count, bucket) => count - (known?.counts[bucket] ?? 0));
      if (since.every((count) => count === 0)) continue;
      before.set(procedure, { counts: [...counts], sum });
      const totalSeconds = sum - (known?.sum ?? 0);
      found.push({ procedure, counts: since, totalSeconds, mostSeconds: most, errors: errors.get(procedure) ?? {} });
    }
    return found;
  };
}
