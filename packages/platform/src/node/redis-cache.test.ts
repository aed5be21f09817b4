import { randomBytes } from "node:crypto";
import { collectingLog, openLine, openTestDatabase, scriptedProvider, testServices } from "@parley/testing";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cacheContract } from "../contracts/cache.ts";
import { openRedis } from "./redis.ts";

const redisUrl = process.env.TEST_REDIS_URL ?? "";
const newPrefix = () => `parley:test:cache:${randomBytes(6).toString("hex")}`;
const patiently = { timeout: 10_000, interval: 10 };

describe.skipIf(!redisUrl)("openRedisCache", () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function open({ url = redisUrl, prefix = newPrefix() } = {}) {
    const redis = await openRedis(url, collectingLog());
    closers.push(redis.close);
    return redis.openCache(prefix);
  }

  async function troubledLine() {
    const line = await openLine(new URL(redisUrl));
    closers.push(line.close);
    return line;
  }

  cacheContract(
    () => open(),
    (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  );

  test("nodes have what another has stored, and one claim among them", async () => {
    const prefix = newPrefix();
    const [left, right] = [await open({ prefix }), await open({ prefix })];
    const value = { at: new Date("2026-11-21T10:00:00Z") };
    await left.set("a", value, 60_000);
    expect(await right.get("a")).toEqual(value);
    expect([await left.claim("b", 60_000), await right.claim("b", 60_000)]).toEqual([true, false]);
  });

  test("what others have written there is not there", async () => {
    const prefix = newPrefix();
    const cache = await open({ prefix });
    const stranger = new Redis(redisUrl);
    closers.push(async () => stranger.disconnect());
    for (const text of ["", "{", "null", "[1", '{"json":{"a":1},"meta":{"values":{"a":["no-such-type"]}}}']) {
      await stranger.set(`${prefix}:a`, text, "PX", 60_000);
      await expect(cache.get("a"), text).resolves.toBeUndefined();
    }
    await stranger.hset(`${prefix}:hash`, "a", "1");
    expect(await cache.get("hash")).toBeUndefined();
  });

  test.each(["cut", "stall", "mute"] as const)(
    "a line that is %s: it has nothing, fails nobody, and comes back",
    async (trouble) => {
      const line = await troubledLine();
      const cache = await open({ url: line.url });
      await cache.set("a", "kept", 600_000);
      expect(await cache.get("a")).toBe("kept");
      line[trouble]();
      await vi.waitFor(async () => {
        expect([await cache.get("a"), cache.isAway()]).toEqual([undefined, true]);
      }, patiently);
      await cache.set("b", 1, 60_000);
      await cache.delete("a");
      expect(await cache.claim("c", 60_000)).toBe(true);
      line.restore();
      await vi.waitFor(async () => expect(await cache.get("a")).toBe("kept"), patiently);
      await cache.set("b", 2, 60_000);
      expect(await cache.get("b")).toBe(2);
      expect(cache.isAway()).toBe(false);
    },
  );

  test("a node starts without it", async () => {
    const line = await troubledLine();
    line.cut();
    const cache = await open({ url: line.url });
    expect([await cache.get("a"), cache.isAway()]).toEqual([undefined, true]);
    line.restore();
    await vi.waitFor(async () => {
      await cache.set("a", 1, 60_000);
      expect(await cache.get("a")).toBe(1);
    }, patiently);
  });

  test("through an outage each node makes what it needs, and shares again after", async () => {
    const line = await troubledLine();
    const prefix = newPrefix();
    await using database = await openTestDatabase("pglite");
    const nodes = [];
    for (let count = 0; count < 2; count++) {
      const node = testServices(database, { cache: await open({ url: line.url, prefix }) });
      closers.push(node.stop);
      const kind = { name: "dates", ttlMs: 60_000, staleMs: 0, keepMs: 0, read: asDate };
      nodes.push({ ...node, dates: node.caches.cached<Date>(kind) });
    }
    const [left, right] = nodes;
    if (!left || !right) throw new Error("There are two nodes");
    const at = (year: number) => async () => new Date(Date.UTC(year, 0));
    expect(await left.dates.get("a", at(2001))).toEqual(new Date(Date.UTC(2001, 0)));
    expect(await right.dates.get("a", at(2002))).toEqual(new Date(Date.UTC(2001, 0)));
    line.stall();
    expect(await left.dates.get("a", at(2003))).toEqual(new Date(Date.UTC(2001, 0)));
    expect(await left.dates.get("b", at(2003))).toEqual(new Date(Date.UTC(2003, 0)));
    expect(await right.dates.get("b", at(2004))).toEqual(new Date(Date.UTC(2004, 0)));
    expect(left.caches.stats().shared).toEqual({ isThere: true, isAway: true });
    line.restore();
    await vi.waitFor(async () => {
      const key = randomBytes(6).toString("hex");
      await left.dates.get(key, at(2005));
      expect(await right.dates.get(key, at(2006))).toEqual(new Date(Date.UTC(2005, 0)));
    }, patiently);
    expect(left.caches.stats().shared).toEqual({ isThere: true, isAway: false });
  });

  test("ten nodes that start together ask a vendor once, and one with another account asks for itself", async () => {
    const prefix = newPrefix();
    await using database = await openTestDatabase("pglite");
    let asked = 0;
    const node = async (account: string) => {
      const provider = {
        ...scriptedProvider().provider,
        account,
        listModels: async () => [{ id: `model-${++asked}`, contextLength: 1_000 }],
      };
      const started = testServices(database, { providers: [provider], cache: await open({ prefix }) });
      closers.push(started.stop);
      return started;
    };
    const nodes = await Promise.all(Array.from({ length: 10 }, () => node("one")));
    await Promise.all(nodes.map(({ background }) => background.settled()));
    const lists = nodes.map(({ models }) => models.list().items.map(({ id, contextLength }) => [id, contextLength]));
    expect(asked).toBe(1);
    expect(lists).toEqual(nodes.map(() => [["model-1", 1_000]]));
    const other = await node("another");
    await other.background.settled();
    expect(other.models.list().items).toMatchObject([{ id: "model-2" }]);
    for (const { clock } of nodes) clock.advance({ seconds: 31 * 60 });
    await Promise.all(nodes.map(({ round }) => round("refresh the models")));
    expect(asked).toBe(3);
    expect(new Set(nodes.map(({ models }) => models.list().items[0]?.id))).toEqual(new Set(["model-3"]));
  });
});

function asDate(stored: unknown): Date {
  if (!(stored instanceof Date)) throw new Error("This is not a date");
  return stored;
}
