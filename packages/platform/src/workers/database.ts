import { type Database, schema } from "@parley/core/database";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { countApplied } from "../shared/count-applied.ts";
import { arrayTypes } from "./array-types.ts";

interface Options {
  connections: number;
  /** The hashes of those that this version brings. */
  migrations: readonly string[];
}

export interface WorkerDatabase {
  database: Database;
  ping(): Promise<void>;
  /** Every migration of this version has been applied. */
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * For one request, or for the life of one object: a connection belongs to whoever opened it. It connects with its first
 * statement. Migrations are applied before, by a script.
 */
export function openWorkerDatabase(url: string, { connections, migrations }: Options): WorkerDatabase {
  const client = postgres(url, {
    max: connections,
    fetch_types: false,
    types: arrayTypes,
    onnotice() {},
    connect_timeout: 5,
    // Who owes an answer for so long is gone, and has not said so.
    silence_timeout: 15,
    // Seconds: most of the time an object has nothing to ask.
    idle_timeout: 1,
    backoff: () => 0.3,
  });
  return {
    database: drizzle(client, { schema }),
    ping: async () => {
      await client`select 1`;
    },
    isMigrated: async () => {
      const [found] = await client.unsafe<{ count: number }[]>(countApplied, [[...migrations]], { prepare: true });
      return found?.count === migrations.length;
    },
    close: () => client.end({ timeout: 5 }),
  };
}
