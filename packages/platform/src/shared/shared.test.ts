import type { LogSink } from "@parley/core/ports";
import { testClock } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { cacheContract } from "../contracts/cache.ts";
import { eventLogContract } from "../contracts/event-log.ts";
import { rateLimiterContract } from "../contracts/rate-limiter.ts";
import { memoryEventLog } from "./event-log/memory-event-log.ts";
import { createIds } from "./ids.ts";
import { memoryCache } from "./memory-cache.ts";
import { memoryRateLimiter } from "./rate-limiter.ts";

describe("memoryEventLog", () => {
  eventLogContract(() => {
    const log = memoryEventLog(testClock());
    return { writer: log, reader: log };
  });

  test("forgets a finished topic after a while", () => {
    const clock = testClock();
    const log = memoryEventLog(clock);
    log.append("run:1", "event", { seq: 1, id: "1" });
    log.finish("run:1");
    const endOf = (after: number) => {
      const ends: string[] = [];
      log.follow("run:1", after, { entry: () => true, end: (reason) => ends.push(reason) });
      return ends[0];
    };
    log.sweep();
    expect(endOf(1)).toBe("finished");
    clock.advance({ seconds: 61 });
    log.sweep();
    expect(endOf(1)).toBe("gap");
  });

  test("keeps a bounded number of a person's events", async () => {
    const log = memoryEventLog(testClock(), { maxEntries: 10 });
    const start = await log.head("user:1");
    for (let count = 1; count <= 1_000; count++) log.append("user:1", count);
    const ends: string[] = [];
    log.follow("user:1", start, { entry: () => true, end: (reason) => ends.push(reason) });
    expect(ends).toEqual(["gap"]);
    const recent: unknown[] = [];
    log.follow("user:1", start + 995, { entry: ({ event }) => recent.push(event) > 0, end() {} });
    expect(recent).toEqual([996, 997, 998, 999, 1000]);
  });

  test("shares a serialised form among the readers of the moment, and keeps none", () => {
    const log = memoryEventLog(testClock());
    const found: (string | undefined)[] = [];
    const sink: LogSink<unknown> = {
      entry(entry) {
        found.push(entry.serialized);
        entry.serialized ??= "made";
        return true;
      },
      end() {},
    };
    log.append("run:1", "event", { seq: 1, id: "1" });
    for (let reader = 0; reader < 3; reader++) log.follow("run:1", 1, sink);
    log.append("run:1", "event", { seq: 2, id: "2" });
    log.follow("run:1", 1, sink);
    expect(found).toEqual([undefined, "made", "made", undefined]);
  });

  test("forgets what nobody reads, and never gives a number twice", async () => {
    const clock = testClock();
    const log = memoryEventLog(clock);
    for (let count = 0; count < 5; count++) log.append("user:1", count);
    const before = await log.head("user:1");
    clock.advance({ seconds: 301 });
    log.sweep();
    expect(await log.head("user:1")).toBeGreaterThanOrEqual(before);
    const seen: string[] = [];
    log.follow("user:1", await log.head("user:1"), { entry: ({ id }) => seen.push(id) > 0, end() {} });
    log.append("user:1", "again");
    expect(Number(seen[0])).toBeGreaterThan(before);
  });

  test("goes on for the writer and the other readers when one reader throws", () => {
    const log = memoryEventLog(testClock());
    const seen: unknown[] = [];
    log.append("run:1", 1, { seq: 1, id: "1" });
    log.follow("run:1", 1, {
      entry() {
        throw new Error("broken");
      },
      end: (reason) => seen.push(reason),
    });
    log.follow("run:1", 1, { entry: ({ event }) => seen.push(event) > 0, end() {} });
    log.append("run:1", 2, { seq: 2, id: "2" });
    log.append("run:1", 3, { seq: 3, id: "3" });
    expect(seen).toEqual(["closed", 2, 3]);
  });

  test("tells its readers that it closes", () => {
    const log = memoryEventLog(testClock());
    log.append("run:1", "event", { seq: 1, id: "1" });
    const ends: string[] = [];
    log.follow("run:1", 0, { entry: () => true, end: (reason) => ends.push(reason) });
    log.close();
    expect(ends).toEqual(["closed"]);
  });
});

describe("memoryRateLimiter", () => rateLimiterContract(() => memoryRateLimiter()));

describe("createIds", () => {
  test("makes UUIDv7 that sort in the order of their making, also when the clock stands still or goes back", () => {
    let now = 1_800_000_000_000;
    const ids = createIds({ now: () => new Date(now) });
    const made: string[] = [];
    for (let count = 0; count < 20_000; count++) {
      if (count % 5_000 === 4_999) now -= 10;
      if (count % 7_000 === 6_999) now += 1_000;
      made.push(ids.next());
    }
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(made).size).toBe(made.length);
    expect(made.toSorted()).toEqual(made);
  });
});

describe("memoryCache", () => {
  const clock = testClock();
  cacheContract(
    () => memoryCache(clock),
    async (milliseconds) => clock.advance({ seconds: milliseconds / 1_000 }),
  );

  test("the oldest make room when it is full", async () => {
    const cache = memoryCache(clock, { maxEntries: 100 });
    for (let count = 0; count < 1_000; count++) await cache.set(String(count), count, 60_000);
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, count) => cache.get(String(count))));
    expect(found.filter((value) => value !== undefined)).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
  });
});
