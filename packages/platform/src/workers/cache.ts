import type { Cache } from "@parley/core/ports";
import { parse, stringify } from "superjson";
import type { CacheMethods } from "./cache-object.ts";
import type { Remote } from "./runtime/types.ts";

/** What an isolate knows of the cache, so that not every request asks the object. */
export interface CacheMemory {
  given: Map<string, { value: unknown; until: number }>;
  /** After a failure nobody asks for a while. */
  awayUntil: number;
}

const pauseMs = 1_000;
const rememberedMs = 60_000;
const mostRemembered = 1_000;

export const createCacheMemory = (): CacheMemory => ({ given: new Map(), awayUntil: 0 });

/** Shared by all through one Durable Object. */
export function objectCache(stub: () => Remote<CacheMethods>, memory: CacheMemory): Cache {
  const { given } = memory;
  const isAway = () => Date.now() < memory.awayUntil;

  async function ask<Answer>(question: () => Promise<Answer>, otherwise: Answer): Promise<Answer> {
    if (isAway()) return otherwise;
    try {
      return await question();
    } catch {
      memory.awayUntil = Date.now() + pauseMs;
      return otherwise;
    }
  }

  return {
    isShared: true,
    isAway,
    async get(key) {
      const known = given.get(key);
      if (known && known.until > Date.now()) return known.value;
      const entry = await ask(() => stub().get(key), null);
      if (entry === null) return undefined;
      const value: unknown = parse(entry.value);
      if (given.size >= mostRemembered) given.clear();
      given.set(key, { value, until: Math.min(entry.endsAt, Date.now() + rememberedMs) });
      return value;
    },
    set(key, value, ttlMs) {
      given.delete(key);
      return ask(() => stub().set(key, stringify(value), ttlMs), undefined);
    },
    delete(key) {
      given.delete(key);
      return ask(() => stub().remove(key), undefined);
    },
    claim: (key, ttlMs) => ask(() => stub().claim(key, ttlMs), true),
  };
}
