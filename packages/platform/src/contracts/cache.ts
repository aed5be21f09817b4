import type { Cache } from "@parley/core/ports";
import { beforeEach, expect, test, vi } from "vitest";

const minuteMs = 60_000;

/** What every cache keeps. `pass` lets time go by for it. */
export function cacheContract(open: () => Cache | Promise<Cache>, pass: (milliseconds: number) => Promise<void>) {
  let cache: Cache;
  let keys = 0;
  let key: string;

  beforeEach(async () => {
    cache = await open();
    key = `contract-${Date.now()}-${++keys}`;
  });

  test("gives back what was stored, and nothing for what was not", async () => {
    expect(await cache.get(key)).toBeUndefined();
    const value = { at: new Date("2026-11-21T10:00:00.123Z"), none: null, list: [1, "שלום", { deep: new Map([["a", 1n]]) }] };
    await cache.set(key, value, minuteMs);
    expect(await cache.get(key)).toEqual(value);
    expect(await cache.get(`${key}-other`)).toBeUndefined();
    expect(cache.isAway()).toBe(false);
  });

  test("the last value counts, also where it is nothing or a text that looks like one of ours", async () => {
    for (const value of [0, "", false, null, '{"json":1}', []]) {
      await cache.set(key, value, minuteMs);
      expect(await cache.get(key)).toEqual(value);
    }
  });

  test("forgets what is deleted, and what is not there", async () => {
    await cache.set(key, 1, minuteMs);
    await cache.delete(key);
    await cache.delete(key);
    expect(await cache.get(key)).toBeUndefined();
  });

  test("forgets after its time, which a new value begins anew", async () => {
    await cache.set(key, "short", 40);
    await cache.set(`${key}-long`, "short", 40);
    await cache.set(`${key}-long`, "long", minuteMs);
    await cache.get(key);
    await pass(50);
    await vi.waitFor(async () => expect(await cache.get(key)).toBeUndefined());
    expect(await cache.get(`${key}-long`)).toBe("long");
  });

  test("one of many at once has a claim, until it is given back or its time is over", async () => {
    const claims = await Promise.all(Array.from({ length: 50 }, () => cache.claim(key, minuteMs)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await cache.delete(key);
    expect(await cache.claim(key, 40)).toBe(true);
    await pass(50);
    await vi.waitFor(async () => expect(await cache.claim(key, minuteMs)).toBe(true));
    expect(await cache.claim(key, minuteMs)).toBe(false);
  });
}
