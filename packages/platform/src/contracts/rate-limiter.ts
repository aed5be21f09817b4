import type { RateLimiter } from "@parley/core/ports";
import { beforeEach, expect, test } from "vitest";

/** What every rate limiter keeps. */
export function rateLimiterContract(open: () => RateLimiter | Promise<RateLimiter>) {
  let limiter: RateLimiter;
  let keys = 0;
  let key: string;
  const limit = { count: 5, windowMs: 60_000 };

  beforeEach(async () => {
    limiter = await open();
    key = `contract-${Date.now()}-${++keys}`;
  });

  test("allows as many as the limit says, also at once", async () => {
    const states = await Promise.all(Array.from({ length: 20 }, () => limiter.consume("bucket", key, limit)));
    expect(states.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  test("tells what is left and when it starts again", async () => {
    expect(await limiter.consume("bucket", key, limit)).toMatchObject({ allowed: true, limit: 5, remaining: 4 });
    const { resetMs } = await limiter.consume("bucket", key, limit);
    expect(resetMs).toBeGreaterThan(50_000);
    expect(resetMs).toBeLessThanOrEqual(60_000);
  });

  test("counts keys, buckets and limits apart", async () => {
    for (let count = 0; count < 5; count++) await limiter.consume("bucket", key, limit);
    expect(await limiter.consume("bucket", key, limit)).toMatchObject({ allowed: false, remaining: 0 });
    expect(await limiter.consume("bucket", `${key}-other`, limit)).toMatchObject({ allowed: true });
    expect(await limiter.consume("other", key, limit)).toMatchObject({ allowed: true });
    expect(await limiter.consume("bucket", key, { ...limit, count: 9 })).toMatchObject({ allowed: true });
  });

  test("gives points back", async () => {
    for (let count = 0; count < 20; count++) {
      expect(await limiter.consume("bucket", key, limit)).toMatchObject({ allowed: true });
      await limiter.refund("bucket", key, limit);
    }
  });

  test("blocks for its own time once it is over", async () => {
    const strict = { count: 1, windowMs: 60_000, blockMs: 3_600_000 };
    await limiter.consume("bucket", key, strict);
    const { allowed, resetMs } = await limiter.consume("bucket", key, strict);
    expect(allowed).toBe(false);
    expect(resetMs).toBeGreaterThan(3_000_000);
  });

  test("forgets", async () => {
    await limiter.consume("bucket", key, limit, 5);
    await limiter.reset("bucket", key, limit);
    expect(await limiter.consume("bucket", key, limit)).toMatchObject({ allowed: true, remaining: 4 });
  });

  test("tells the state for no points at all", async () => {
    expect(await limiter.consume("bucket", key, limit, 0)).toMatchObject({ allowed: true, remaining: 5 });
    await limiter.consume("bucket", key, limit, 3);
    expect(await limiter.consume("bucket", key, limit, 0)).toMatchObject({ allowed: true, remaining: 2 });
  });

  test("takes several points at once", async () => {
    expect(await limiter.consume("bucket", key, limit, 4)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.consume("bucket", key, limit, 2)).toMatchObject({ allowed: false });
  });
}
