import type { Log, RateLimiter } from "@parley/core/ports";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { createRateLimiter, memoryRateLimiter } from "../shared/rate-limiter.ts";

export interface OpenRedis {
  rateLimiter: RateLimiter;
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
    lazyConnect: true,
  });
  let isAway = false;
  // Without a listener a lost connection would end the process.
  client.on("error", (error) => {
    if (!isAway) log.warn({ err: error }, "Redis is away: limits are counted on each node");
    isAway = true;
  });
  client.on("ready", () => {
    isAway = false;
  });
  await client.connect().catch(() => {});
  const shared = createRateLimiter(
    (options) => new RateLimiterRedis({ ...options, keyPrefix: `parley:limit:${options.keyPrefix}`, storeClient: client }),
  );
  return {
    rateLimiter: insured(shared, memoryRateLimiter()),
    ping: async () => {
      await client.ping();
    },
    close: async () => {
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
