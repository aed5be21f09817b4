import type { Cache, Log, RateLimiter } from "@parley/core/ports";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import type { LogStore } from "../shared/event-log/log-store.ts";
import { createRateLimiter, memoryRateLimiter } from "../shared/rate-limiter.ts";
import { openRedisCache } from "./redis-cache.ts";
import { openRedisLogStore } from "./redis-log-store.ts";

export interface OpenRedis {
  rateLimiter: RateLimiter;
  /** Nodes share what has the same prefix. */
  openLogStore(prefix?: string): Promise<LogStore>;
  openCache(prefix?: string): Promise<Cache>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Never in the way: while Redis is away, each node counts in its own memory. */
export async function openRedis(url: string, log: Log): Promise<OpenRedis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 500,
    connectTimeout: 5_000,
    // A connection that has gone silent is given up for a new one.
    socketTimeout: 5_000,
    lazyConnect: true,
  });
  let isAway = false;
  let isClosing = false;
  const lost = (fields: object) => {
    if (!isAway && !isClosing) log.warn(fields, "Redis is away: limits are counted on each node");
    isAway = true;
  };
  // Without a listener a lost connection would end the process; one that is just closed is no error.
  client.on("error", (error) => lost({ err: error }));
  client.on("close", () => lost({}));
  client.on("ready", () => {
    isAway = false;
  });
  await client.connect().catch(() => {});
  const shared = createRateLimiter(
    (options) => new RateLimiterRedis({ ...options, keyPrefix: `parley:limit:${options.keyPrefix}`, storeClient: client }),
  );
  const caches: { close(): void }[] = [];
  return {
    rateLimiter: insured(shared, memoryRateLimiter()),
    openLogStore: (prefix = "parley:log") => openRedisLogStore(client, prefix),
    async openCache(prefix = "parley:cache") {
      const cache = await openRedisCache(client, prefix);
      caches.push(cache);
      return cache;
    },
    ping: async () => {
      await client.ping();
    },
    close: async () => {
      isClosing = true;
      for (const cache of caches) cache.close();
      client.disconnect();
    },
  };
}

const awayMs = 5_000;

/** After one failure this node counts by itself for a while: no call waits for a store that is not there. */
function insured(shared: RateLimiter, own: RateLimiter): RateLimiter {
  let awayUntil = 0;
  const use = async <Result>(work: (limiter: RateLimiter) => Promise<Result>): Promise<Result> => {
    if (Date.now() < awayUntil) return work(own);
    try {
      return await work(shared);
    } catch {
      awayUntil = Date.now() + awayMs;
      return work(own);
    }
  };
  return {
    consume: (bucket, key, limit, points) => use((limiter) => limiter.consume(bucket, key, limit, points)),
    reset: (bucket, key, limit) => use((limiter) => limiter.reset(bucket, key, limit)),
    refund: (bucket, key, limit, points) => use((limiter) => limiter.refund(bucket, key, limit, points)),
  };
}
