import type { Cache, Clock } from "@parley/core/ports";

/** The oldest entries make room for new ones. */
export function memoryCache(clock: Clock, { maxEntries = 10_000 } = {}): Cache {
  const entries = new Map<string, { value: unknown; expiresAt: number }>();
  return {
    async get<Value>(key: string) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (entry.expiresAt > clock.now().getTime()) return entry.value as Value;
      entries.delete(key);
      return undefined;
    },
    async set(key, value, ttlMs) {
      entries.delete(key);
      if (entries.size >= maxEntries) {
        for (const oldest of entries.keys()) {
          entries.delete(oldest);
          break;
        }
      }
      entries.set(key, { value, expiresAt: clock.now().getTime() + ttlMs });
    },
    async delete(key) {
      entries.delete(key);
    },
  };
}
