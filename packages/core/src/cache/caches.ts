import type { AccessChange, AccessChanges } from "../access/changes.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";
import { recentlyUsed } from "./recently-used.ts";
import { createShared, type Made } from "./shared.ts";

export interface Kind<Value> {
  /** One of a few: it is a label of the metrics. */
  name: string;
  ttlMs: number;
  /** After its time, the old value is given out for so long while a new one is made behind it. */
  staleMs: number;
  /** After its time, the old value is given out for so long where none can be made. */
  keepMs: number;
  /** How long it is remembered that there is nothing: null or undefined. */
  nothingMs?: number;
  maxEntries?: number;
  /** Of what a change makes old, the key. Each node hears of it, and trusts nothing that it remembers while it cannot. */
  droppedBy?: (change: AccessChange) => string | null;
  /** Nodes share it, and learn of a new value when theirs is old. Throws for what is not such a value. */
  read?: (stored: unknown) => Value;
}

export interface Cached<Value> {
  /** A value is given out by reference, and must not be changed. */
  get(key: string, make: () => Promise<Value>): Promise<Value>;
  /** Made anew, whatever is known. */
  renew(key: string, make: () => Promise<Value>): Promise<Value>;
}

export interface CacheStats {
  /** Several nodes have one; it may be out of reach, and each node then makes its own. */
  shared: { isThere: boolean; isAway: boolean };
  kinds: { name: string; entries: number; hits: number; stale: number; misses: number }[];
}

type Outcome = "hit" | "stale" | "miss";

const usualMost = 10_000;
const usualNothingMs = 30_000;
/** After a failure the old value is given out for so long before the next try. */
const retryMs = 5_000;

export type Caches = ReturnType<typeof createCaches>;

/**
 * What is cheaper to remember than to find out again. Never what decides about rights. Of many who ask at once one makes the
 * value; a failure is not remembered.
 */
export function createCaches(
  ports: Pick<Ports, "cache" | "background" | "clock" | "log">,
  { access, meters }: { access: Pick<AccessChanges, "isFresh" | "onChange">; meters: Pick<Meters, "cache"> },
) {
  const { cache, background, clock, log } = ports;
  const kinds: (() => CacheStats["kinds"][number])[] = [];
  const now = () => clock.now().getTime();

  function cached<Value>(kind: Kind<Value>): Cached<Value> {
    const { name, staleMs, keepMs, droppedBy, read } = kind;
    const entries = recentlyUsed<Made<Value> & { retryAt: number }>(kind.maxEntries ?? usualMost);
    const underWay = new Map<string, Promise<{ made: Made<Value>; outcome: Outcome }>>();
    const counts = { hit: 0, stale: 0, miss: 0 };
    kinds.push(() => ({ name, entries: entries.size(), hits: counts.hit, stale: counts.stale, misses: counts.miss }));

    const isNothing = ({ value }: Made<Value>) => value === null || value === undefined;
    const ttlOf = (made: Made<Value>) => (isNothing(made) ? (kind.nothingMs ?? usualNothingMs) : kind.ttlMs);
    /** Nothing is never old and good. */
    const extraOf = (made: Made<Value>, extraMs: number) => (isNothing(made) ? 0 : extraMs);
    const isWithin = (made: Made<Value>, extraMs: number) => now() < made.madeAt + ttlOf(made) + extraOf(made, extraMs);
    const isFresh = (made: Made<Value>) => isWithin(made, 0);
    const keptMs = (made: Made<Value>) => ttlOf(made) + extraOf(made, Math.max(staleMs, keepMs));
    const shared = read && createShared<Value>(ports, { name, read, isFresh, keptMs });

    if (droppedBy) {
      access.onChange((change) => {
        const key = droppedBy(change);
        if (key === null) return;
        entries.delete(key);
        // What is under way may have been read before the change: it is for those who wait, and not kept.
        underWay.delete(key);
      });
    }

    function count(outcome: Outcome) {
      counts[outcome]++;
      meters.cache.add(1, name, outcome);
    }

    function keep(key: string, made: Made<Value>) {
      // Another node's clock may be ahead of ours.
      const madeAt = Math.min(made.madeAt, now());
      entries.set(key, { value: made.value, madeAt, retryAt: isFresh(made) ? 0 : now() + retryMs });
    }

    function begin(key: string, work: () => Promise<{ made: Made<Value>; outcome: Outcome }>) {
      const task = work()
        .then((found) => {
          if (underWay.get(key) === task) keep(key, found.made);
          return found;
        })
        .finally(() => {
          if (underWay.get(key) === task) underWay.delete(key);
        });
      underWay.set(key, task);
      return task;
    }

    async function find(key: string, make: () => Promise<Value>) {
      let old: Made<Value> | null = entries.get(key) ?? null;
      const found = await shared?.find(key);
      if (found && isFresh(found)) return { made: found, outcome: "hit" as const };
      if (found && found.madeAt > (old?.madeAt ?? 0)) old = found;
      try {
        const made = await (shared ? shared.makeOnce(key, make) : makeHere(make));
        return { made, outcome: "miss" as const };
      } catch (error) {
        if (!old || !isWithin(old, keepMs)) throw error;
        log.warn({ cache: name, err: error }, "a value could not be made anew: the old one is given out for a while");
        return { made: old, outcome: "stale" as const };
      }
    }

    async function makeHere(make: () => Promise<Value>): Promise<Made<Value>> {
      // From before the making: what has changed meanwhile is newer.
      const madeAt = now();
      return { value: await make(), madeAt };
    }

    return {
      async get(key, make) {
        if (droppedBy && !access.isFresh()) {
          count("miss");
          return make();
        }
        const entry = entries.get(key);
        if (entry && isFresh(entry)) {
          count("hit");
          return entry.value;
        }
        if (entry && (isWithin(entry, staleMs) || (isWithin(entry, keepMs) && now() < entry.retryAt))) {
          count("stale");
          if (now() >= entry.retryAt && !underWay.has(key)) {
            entry.retryAt = now() + retryMs;
            background.run(`renew ${name}`, async () => {
              await begin(key, () => find(key, make));
            });
          }
          return entry.value;
        }
        let outcome: Outcome = "miss";
        try {
          const found = await (underWay.get(key) ?? begin(key, () => find(key, make)));
          outcome = found.outcome;
          return found.made.value;
        } finally {
          count(outcome);
        }
      },

      async renew(key, make) {
        const work = async () => ({ made: await (shared ? shared.make(key, make) : makeHere(make)), outcome: "miss" as const });
        const { made } = await begin(key, work);
        return made.value;
      },
    };
  }

  return {
    cached,
    stats: (): CacheStats => ({
      shared: { isThere: cache.isShared, isAway: cache.isAway() },
      kinds: kinds.map((stats) => stats()),
    }),
  };
}
