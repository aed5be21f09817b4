import type { Cache } from "@parley/core/ports";
import type { Redis } from "ioredis";
import { parse, stringify } from "superjson";

/** What is remembered has to be faster than what it saves. Waited in steps: a pause of our own counts as one, not as Redis's. */
const stepMs = 50;
const steps = 4;
/** After one failure nobody asks for a while: a store that stands still costs one call of a second its patience. */
const pauseMs = 1_000;
/** Then the connection is given up for a new one. */
const silenceMs = 5_000;

/** Nodes share what has the same prefix. Without Redis it is a cache that has nothing. */
export async function openRedisCache(shared: Redis, prefix: string): Promise<Cache & { close(): void }> {
  // How long is waited is decided below: the driver's timer takes our own standing still for that of Redis.
  const client = shared.duplicate({ commandTimeout: undefined, socketTimeout: silenceMs });
  // Without a listener a lost connection would end the process.
  client.on("error", () => {});
  await client.connect().catch(() => {});
  let awayUntil = 0;
  const isAway = () => client.status !== "ready" || Date.now() < awayUntil;
  const keyOf = (key: string) => `${prefix}:${key}`;

  async function ask<Answer>(command: () => Promise<Answer>, otherwise: Answer): Promise<Answer> {
    if (isAway()) return otherwise;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const wait = (step: number) => {
        const next = () => (step === steps ? reject(new Error("Redis did not answer in time")) : wait(step + 1));
        timer = setTimeout(next, stepMs);
      };
      wait(1);
    });
    try {
      return await Promise.race([command(), tooLate]);
    } catch {
      awayUntil = Date.now() + pauseMs;
      return otherwise;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    isShared: true,
    isAway,
    async get(key) {
      const text = await ask(() => client.get(keyOf(key)), null);
      return text === null ? undefined : readable(text);
    },
    async set(key, value, ttlMs) {
      const text = stringify(value);
      await ask(() => client.set(keyOf(key), text, "PX", lasting(ttlMs)), null);
    },
    async delete(key) {
      await ask(() => client.del(keyOf(key)), 0);
    },
    claim: (key, ttlMs) => ask(async () => (await client.set(keyOf(key), "1", "PX", lasting(ttlMs), "NX")) !== null, true),
    close: () => client.disconnect(),
  };
}

/** Redis counts whole milliseconds, from one on. */
const lasting = (ttlMs: number) => Math.max(1, Math.ceil(ttlMs));

/** What does not parse was not stored by us, or by another version of us. */
function readable(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
