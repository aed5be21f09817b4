import type { Cache } from "@parley/core/ports";
import { parse, stringify } from "superjson";
import type { CacheMethods } from "./cache-object.ts";
import type { Remote } from "./runtime/runtime.ts";

const pauseMs = 1_000;
let awayUntil = 0;

/** What an isolate has been given, for a while, so that not every request asks the object. */
export type Remembered = Map<string, { value: unknown; until: number }>;

const rememberedMs = 60_000;
const mostRemembered = 1_000;

/** Shared by all through one Durable Object. */
export function objectCache(stub: () => Remote<CacheMethods>, remembered?: Remembered): Cache {
  const isAway = () => Date.now() < awayUntil;

  async function ask<Answer>(question: () => Promise<Answer>, otherwise: Answer): Promise<Answer> {
    if (isAway()) return otherwise;
    try {
      return await question();
    } catch {
      awayUntil = Date.now() + pauseMs;
      return otherwise;
    }
  }

  return {
    isShared: true,
    isAway,
    async get(key) {
      const known = remembered?.get(key);
      if (known && known.until > Date.now()) return known.value;
      const text = await ask(() => stub().get(key), null);
      if (text === null) return undefined;
      const value: unknown = parse(text);
      if (remembered && remembered.size >= mostRemembered) remembered.clear();
      remembered?.set(key, { value, until: Date.now() + rememberedMs });
      return value;
    },
    set(key, value, ttlMs) {
      remembered?.delete(key);
      return ask(() => stub().set(key, stringify(value), ttlMs), undefined);
    },
    delete(key) {
      remembered?.delete(key);
      return ask(() => stub().remove(key), undefined);
    },
    claim: (key, ttlMs) => ask(() => stub().claim(key, ttlMs), true),
  };
}
