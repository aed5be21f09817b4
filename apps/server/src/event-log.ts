import type { Clock, Log } from "@parley/core/ports";
import type { OpenDatabase } from "@parley/platform/node";
import type { OpenRedis } from "@parley/platform/node/redis";
import { memoryEventLog, sharedEventLog } from "@parley/platform/shared";

interface Parts {
  database: OpenDatabase;
  redis: OpenRedis | null;
  clock: Clock;
  log: Log;
}

/** Redis where there is one, otherwise Postgres. One process on the embedded database has nobody to share with. */
export async function openEventLog({ database, redis, clock, log }: Parts) {
  if (!database.openLogStore) return memoryEventLog(clock);
  const store = redis ? await redis.openLogStore() : database.openLogStore();
  return sharedEventLog(store, { clock, log });
}
