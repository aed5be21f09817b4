import { fileURLToPath } from "node:url";
import { collectingLog } from "@parley/testing";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { cacheContract } from "../contracts/cache.ts";
import { eventLogContract } from "../contracts/event-log.ts";
import { rateLimiterContract } from "../contracts/rate-limiter.ts";
import { createCacheMemory, objectCache } from "./cache.ts";
import type { CacheMethods } from "./cache-object.ts";
import type { LimitMethods } from "./limit-object.ts";
import { objectRateLimiter } from "./rate-limiter.ts";
import { named, type ObjectNamespace, type Remote } from "./runtime/types.ts";
import { type ObjectEventLog, objectEventLog } from "./topics/object-event-log.ts";
import type { TopicMethods } from "./topics/topic-protocol.ts";

// The objects are in workerd, and what speaks to them is here.
let miniflare: Miniflare;
let objects: {
  topics: ObjectNamespace<Remote<TopicMethods>>;
  limits: ObjectNamespace<Remote<LimitMethods>>;
  cache: ObjectNamespace<Remote<CacheMethods>>;
  sockets: ObjectNamespace<Remote<{ wakings(): number }>>;
};
const log = collectingLog();

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from "./objects.ts";
        import { DurableObject } from "cloudflare:workers";
        export class SocketObject extends DurableObject {
          #wakings = 0;
          wake() { this.#wakings++; return true; }
          wakings() { return this.#wakings; }
        }
        export default { fetch: () => new Response() };`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*"],
  });
  const useSQLite = true;
  miniflare = new Miniflare({
    cf: false,
    modules: [{ type: "ESModule", path: "objects.mjs", contents: outputFiles[0]?.contents ?? "" }],
    compatibilityDate: "2026-04-24",
    durableObjects: {
      TOPICS: { className: "TopicObject", useSQLite },
      LIMITS: { className: "LimitObject", useSQLite },
      CACHE: { className: "CacheObject", useSQLite },
      SOCKETS: { className: "SocketObject", useSQLite },
    },
  });
  const { TOPICS, LIMITS, CACHE, SOCKETS } = await miniflare.getBindings<{
    TOPICS: typeof objects.topics;
    LIMITS: typeof objects.limits;
    CACHE: typeof objects.cache;
    SOCKETS: typeof objects.sockets;
  }>();
  objects = { topics: TOPICS, limits: LIMITS, cache: CACHE, sockets: SOCKETS };
});
afterAll(() => miniflare.dispose());

describe("objectEventLog", () => {
  const open: ObjectEventLog[] = [];
  const node = () => {
    const opened = objectEventLog({ stub: (topic) => named(objects.topics, topic), log });
    open.push(opened);
    return opened;
  };
  afterEach(() => {
    for (const opened of open.splice(0)) opened.close();
  });

  describe("on one node", () => {
    eventLogContract(() => {
      const log = node();
      return { writer: log, reader: log };
    });
  });
  describe("on two nodes", () => {
    eventLogContract(() => ({ writer: node(), reader: node() }));
  });
});

describe("a topic", () => {
  const event = (id: string) => ({ seq: null, id, event: "1" });
  const batch = (id: string) => ({ entries: [event(id)], passing: [], isFinished: false });
  const passing = { id: "p", at: Date.now(), event: "1" };

  function begin(name: string) {
    const topic = () => named(objects.topics, name);
    const id = objects.sockets.newUniqueId();
    const sleeper = { socket: id.toString(), userId: "ada", sessionId: "1", isListening: true };
    return { topic, sleeper, wakings: () => objects.sockets.get(id).wakings() };
  }

  test("wakes who sleeps there once, when something comes", async () => {
    const { topic, sleeper, wakings } = begin("wakes");
    const head = await topic().head();
    expect(await topic().sleep({ sleeper, after: head, passed: null })).toBe(true);
    await topic().append(batch("a"));
    await expect.poll(wakings).toBe(1);
    await topic().append(batch("b"));
    expect(await topic().sleep({ sleeper, after: head, passed: null })).toBe(false);
    expect(await topic().sleep({ sleeper, after: head + 2, passed: null })).toBe(true);
    await topic().append({ entries: [], passing: [passing], isFinished: false });
    await expect.poll(wakings).toBe(2);
    expect(await topic().sleep({ sleeper, after: head + 2, passed: 0 })).toBe(false);
  });

  test("has nothing to give of an event that is too long to keep, and goes on after it", async () => {
    const { topic } = begin("too long");
    const head = await topic().head();
    const long = { seq: null, id: "long", event: JSON.stringify("x".repeat(2_100_000)) };
    await topic().append({ entries: [long], passing: [], isFinished: false });
    const question = { passed: null, since: 0, waitMs: 0 };
    expect(await topic().poll({ ...question, after: head })).toEqual({ isGap: true });
    await topic().append(batch("after"));
    expect(await topic().poll({ ...question, after: head + 1 })).toMatchObject({ entries: [{ seq: head + 2 }] });
  });

  test("lets sleep who has left, and tells who never was anywhere to listen first", async () => {
    const { topic, sleeper, wakings } = begin("left");
    expect(await topic().sleep({ sleeper, after: 7, passed: null })).toBe(false);
    const other = begin("left");
    const after = await topic().head();
    for (const each of [sleeper, other.sleeper]) expect(await topic().sleep({ sleeper: each, after, passed: null })).toBe(true);
    await topic().leave(sleeper.socket);
    await topic().append(batch("a"));
    await expect.poll(other.wakings).toBe(1);
    expect(await wakings()).toBe(0);
  });
});

describe("objectRateLimiter", () => {
  rateLimiterContract(() => objectRateLimiter({ stub: (name) => named(objects.limits, name), log }));
});

describe("objectCache", () => {
  cacheContract(
    () => objectCache(() => named(objects.cache, "cache"), createCacheMemory()),
    (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  );
});
