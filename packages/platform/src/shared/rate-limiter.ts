import type { Limit, RateLimiter } from "@parley/core/ports";
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/** Builds the counter of one bucket: in memory here, elsewhere on a store that several nodes share. */
export type BuildLimiter = (options: {
  keyPrefix: string;
  points: number;
  duration: number;
  blockDuration: number;
}) => RateLimiterAbstract;

export function memoryRateLimiter(): RateLimiter {
  return createRateLimiter((options) => new RateLimiterMemory(options));
}

export function createRateLimiter(build: BuildLimiter): RateLimiter {
  const limiters = new Map<string, RateLimiterAbstract>();

  function limiterOf(bucket: string, { count, windowMs, blockMs }: Limit) {
    const name = `${bucket}:${count}:${windowMs}:${blockMs ?? 0}`;
    let limiter = limiters.get(name);
    if (!limiter) {
      limiter = build({ keyPrefix: name, points: count, duration: windowMs / 1_000, blockDuration: (blockMs ?? 0) / 1_000 });
      limiters.set(name, limiter);
    }
    return limiter;
  }

  return {
    async consume(bucket, key, limit, points = 1) {
      try {
        const state = await limiterOf(bucket, limit).consume(key, points);
        return { allowed: true, limit: limit.count, remaining: state.remainingPoints, resetMs: state.msBeforeNext };
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        return { allowed: false, limit: limit.count, remaining: 0, resetMs: refused.msBeforeNext };
      }
    },
    async refund(bucket, key, limit, points = 1) {
      await limiterOf(bucket, limit).reward(key, points);
    },
    async reset(bucket, key, limit) {
      await limiterOf(bucket, limit).delete(key);
    },
  };
}
