import { schema } from "@parley/core/database";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { migrate } from "./migrate.ts";
import type { OpenDatabase } from "./open-database.ts";

interface Options {
  url: string;
  migrations: string;
  poolSize?: number;
}

/** Any number that no other program is likely to take a lock by. */
const migrationLock = "7215846303015";

export async function openPostgres({ url, migrations, poolSize = 10 }: Options): Promise<OpenDatabase> {
  await migrateOnce(url, migrations);
  const client = postgres(url, {
    max: poolSize,
    onnotice() {},
    connect_timeout: 3,
    // Seconds: a database that comes back is found at once, not after a growing pause.
    backoff: () => 0.3,
    connection: { application_name: "parley", statement_timeout: 10_000, lock_timeout: 5_000 },
  });
  const database = drizzle(client, { schema });
  return {
    kind: "postgres",
    database,
    ping: async () => {
      await client`select 1`;
    },
    close: () => client.end({ timeout: 5 }),
  };
}

/** Nodes that start together wait for the first: the lock belongs to a connection that is closed in any case. */
async function migrateOnce(url: string, folder: string) {
  const client = postgres(url, { max: 1, onnotice() {}, connect_timeout: 10 });
  try {
    await client`select pg_advisory_lock(${migrationLock}::bigint)`.catch((cause) => {
      throw new Error("DATABASE_URL: the database cannot be reached", { cause });
    });
    await migrate(folder, {
      query: (text, values) => client.unsafe(text, values),
      script: async (text) => {
        await client.unsafe(text).simple();
      },
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}
