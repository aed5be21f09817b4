import type { Cache, Clock } from "@parley/core/ports";

/** The oldest entries make room for new ones. */
export function memoryCache(clock: Clock, { maxEntries = 10_000 } = {}): Cache {
  const entries = new Map<string, { value: unknown; expiresAt: number }>();
  const now = () => clock.now().getTime();

  function find(key: string): unknown {
    const entry = entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAt > now()) return entry.value;
    entries.delete(key);
    return undefined;
  }

  function keep(key: string, value: unknown, ttlMs: number) {
    entries.delete(key);
    const [oldest] = entries.keys();
    if (entries.size >= maxEntries && oldest !== undefined) entries.delete(oldest);
    entries.set(key, { value, expiresAt: now() + ttlMs });
  }

  return {
    isShared: false,
    isAway: () => false,
    get: async (key) => find(key),
    async set(key, value, ttlMs) {
      keep(key, value, ttlMs);
    },
    async delete(key) {
      entries.delete(key);
    },
    async claim(key, ttlMs) {
      if (find(key) !== undefined) return false;
      keep(key, true, ttlMs);
      return true;
    },
  };
}
