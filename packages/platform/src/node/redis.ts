import type { Log, RateLimiter } from "@parley/core/ports";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { createRateLimiter } from "../shared/rate-limiter.ts";

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
    commandTimeout: 1_000,
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
  return {
    rateLimiter: createRateLimiter(
      (options) =>
        new RateLimiterRedis({
          ...options,
          keyPrefix: `parley:limit:${options.keyPrefix}`,
          storeClient: client,
          insuranceLimiter: new RateLimiterMemory(options),
        }),
    ),
    ping: async () => {
      await client.ping();
    },
    close: async () => {
      client.disconnect();
    },
  };
}
