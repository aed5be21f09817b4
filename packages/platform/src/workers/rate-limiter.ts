import type { Limit, Log, RateLimiter } from "@parley/core/ports";
import type { LimitMethods } from "./limit-object.ts";
import type { Remote } from "./runtime/types.ts";

/** Counts in Durable Objects, one a bucket, key and limit. */
export function objectRateLimiter({ stub, log }: { stub(name: string): Remote<LimitMethods>; log: Log }): RateLimiter {
  const objectOf = (bucket: string, key: string, { count, windowMs, blockMs = 0 }: Limit) =>
    stub(`${bucket}:${count}:${windowMs}:${blockMs}:${key}`);

  return {
    async consume(bucket, key, limit, points = 1) {
      try {
        return await objectOf(bucket, key, limit).consume(limit, points);
      } catch (error) {
        log.warn({ err: error, bucket }, "a limit could not be counted");
        return { allowed: true, limit: limit.count, remaining: limit.count, resetMs: limit.windowMs };
      }
    },
    refund: (bucket, key, limit, points = 1) => objectOf(bucket, key, limit).refund(limit, points),
    reset: (bucket, key, limit) => objectOf(bucket, key, limit).reset(),
  };
}
