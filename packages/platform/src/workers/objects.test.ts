import { fileURLToPath } from "node:url";
import { collectingLog } from "@parley/testing";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { cacheContract } from "../contracts/cache.ts";
import { eventLogContract } from "../contracts/event-log.ts";
import { rateLimiterContract } from "../contracts/rate-limiter.ts";
import { objectCache } from "./cache.ts";
import type { CacheMethods } from "./cache-object.ts";
import type { LimitMethods } from "./limit-object.ts";
import { objectRateLimiter } from "./rate-limiter.ts";
import { named, type ObjectNamespace, type Remote } from "./runtime.ts";
import { type ObjectEventLog, objectEventLog } from "./topics/object-event-log.ts";
import type { TopicMethods } from "./topics/topic-protocol.ts";

// The objects are in workerd, and what speaks to them is here.
let miniflare: Miniflare;
let objects: {
  topics: ObjectNamespace<Remote<TopicMethods>>;
  limits: ObjectNamespace<Remote<LimitMethods>>;
  cache: ObjectNamespace<Remote<CacheMethods>>;
};
const log = collectingLog();

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { CacheObject } from "./cache-object.ts";
        export { LimitObject } from "./limit-object.ts";
        export { TopicObject } from "./topics/topic-object.ts";
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
    },
  });
  const { TOPICS, LIMITS, CACHE } = await miniflare.getBindings<{
    TOPICS: typeof objects.topics;
    LIMITS: typeof objects.limits;
    CACHE: typeof objects.cache;
  }>();
  objects = { topics: TOPICS, limits: LIMITS, cache: CACHE };
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

describe("objectRateLimiter", () => {
  rateLimiterContract(() => objectRateLimiter({ stub: (name) => named(objects.limits, name), log }));
});

describe("objectCache", () => {
  cacheContract(
    () => objectCache(() => named(objects.cache, "cache")),
    (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  );
});
