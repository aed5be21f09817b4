import type { Ports } from "../ports.ts";

/** A value, and when it was made, in milliseconds of the clock. */
export interface Made<Value> {
  value: Value;
  madeAt: number;
}

interface SharedOptions<Value> {
  name: string;
  /** Throws for what is not such a value: another version of us may have stored it. */
  read(stored: unknown): Value;
  isFresh(made: Made<Value>): boolean;
  /** How long it is good for at all. */
  keptMs(made: Made<Value>): number;
}

/** A node that makes a value is waited for this long; one that dies meanwhile is in nobody's way for longer. */
const claimMs = 15_000;
const patienceMs = 5_000;
const pauseMs = 100;

/** What nodes have in common: one of them makes a value, the others wait for it. */
export function createShared<Value>(
  { cache, clock }: Pick<Ports, "cache" | "clock">,
  { name, read, isFresh, keptMs }: SharedOptions<Value>,
) {
  const keyOf = (key: string) => `${name}:${key}`;
  const claimOf = (key: string) => `${name}:${key}:claim`;

  async function find(key: string): Promise<Made<Value> | null> {
    const stored = await cache.get(keyOf(key));
    try {
      return isStored(stored) ? { value: read(stored.value), madeAt: stored.madeAt } : null;
    } catch {
      return null;
    }
  }

  async function make(key: string, work: () => Promise<Value>): Promise<Made<Value>> {
    const madeAt = clock.now().getTime();
    const made = { value: await work(), madeAt };
    await cache.set(keyOf(key), made, keptMs(made));
    return made;
  }

  return {
    find,
    make,
    /** Made by us, or by another node in the meantime. */
    async makeOnce(key: string, work: () => Promise<Value>): Promise<Made<Value>> {
      for (let waited = 0; ; waited += pauseMs) {
        const isOurs = waited >= patienceMs || (await cache.claim(claimOf(key), claimMs));
        try {
          const found = await find(key);
          if (found && isFresh(found)) return found;
          if (isOurs) return await make(key, work);
        } finally {
          if (isOurs) await cache.delete(claimOf(key));
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    },
  };
}

function isStored(stored: unknown): stored is Made<unknown> {
  return (
    typeof stored === "object" && stored !== null && "value" in stored && "madeAt" in stored && Number.isFinite(stored.madeAt)
  );
}
