import { randomBytes } from "node:crypto";
import type { Clock, EventLog } from "@parley/core/ports";
import { openRedis } from "@parley/platform/node/redis";
import { memoryEventLog, sharedEventLog } from "@parley/platform/shared";
import { Redis } from "ioredis";
import postgres from "postgres";
import type { TestDatabase } from "./databases.ts";
import { collectingLog } from "./logs.ts";

export type EventLogKind = "memory" | "postgres" | "redis";

/** A busy machine that runs tests answers late. */
const patienceMs = 2_000;
const redisUrl = process.env.TEST_REDIS_URL;

/** What a suite runs on: memory always, the others where their services answer. */
export const eventLogKinds: EventLogKind[] = [
  "memory",
  ...(process.env.TEST_DATABASE_URL ? (["postgres"] as const) : []),
  ...(redisUrl ? (["redis"] as const) : []),
];

export interface TestEventLog extends EventLog {
  sweep(): void | Promise<void>;
  close(): Promise<void>;
}

/** One node's log. Several on one database share what there is to share; in memory there is nothing. */
export async function openTestEventLog(
  kind: EventLogKind,
  { database, clock }: { database: TestDatabase; clock: Clock },
): Promise<TestEventLog> {
  const log = collectingLog();
  switch (kind) {
    case "memory": {
      const memory = memoryEventLog(clock);
      return { ...memory, close: async () => memory.close() };
    }
    case "postgres": {
      if (!database.openLogStore) throw new Error("An event log on Postgres needs a database on Postgres");
      return sharedEventLog(database.openLogStore(), { clock, log, patienceMs });
    }
    case "redis": {
      const redis = await openRedis(redisUrl ?? "", log);
      const shared = sharedEventLog(await redis.openLogStore(prefixOf(database)), { clock, log, patienceMs });
      const close = async () => {
        await shared.close();
        await redis.close();
      };
      return { ...shared, close };
    }
  }
}

/** As a crash of Postgres or a flush of Redis leaves it: nothing of what was shared is there. */
export async function loseEvents(kind: EventLogKind, database: TestDatabase): Promise<void> {
  if (kind === "postgres" && database.url) {
    const client = postgres(database.url, { max: 1 });
    await client`truncate event_log, event_heads`;
    await client.end();
  }
  if (kind === "redis") await loseKeys(prefixOf(database));
}

/** What nodes share in Redis below a prefix. */
export async function loseKeys(prefix: string): Promise<void> {
  const redis = new Redis(redisUrl ?? "");
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    if (keys.length > 0) await redis.del(...keys);
  }
  redis.disconnect();
}

const prefixes = new WeakMap<TestDatabase, string>();

function prefixOf(database: TestDatabase): string {
  const known = prefixes.get(database) ?? `parley:test:${randomBytes(6).toString("hex")}`;
  prefixes.set(database, known);
  return known;
}
