import { advisoryLocks, schema } from "@parley/core/database";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { countApplied } from "../shared/count-applied.ts";
import { migrate } from "./migrate.ts";
import type { OpenDatabase } from "./open-database.ts";
import { postgresLogStore } from "./postgres-log-store.ts";

interface Options {
  url: string;
  migrations: string;
  poolSize?: number;
}

export async function openPostgres({ url, migrations, poolSize = 10 }: Options): Promise<OpenDatabase> {
  const { hashes } = await migrateOnce(url, migrations);
  const client = postgres(url, {
    max: poolSize,
    onnotice() {},
    connect_timeout: 3,
    // Longer than any statement may take: who says nothing for so long is gone, and has not said so.
    silence_timeout: 12,
    // Seconds: a database that comes back is found at once, not after a growing pause.
    backoff: () => 0.3,
    connection: { application_name: "parley", statement_timeout: 10_000, lock_timeout: 5_000 },
  });
  const database = drizzle(client, { schema });
  return {
    kind: "postgres",
    database,
    openLogStore: () => postgresLogStore(client),
    connections: poolSize,
    ping: async () => {
      await client`select 1`;
    },
    isMigrated: async () => {
      const [found] = await client.unsafe<{ count: number }[]>(countApplied, [hashes], { prepare: true });
      return found?.count === hashes.length;
    },
    close: () => client.end({ timeout: 5 }),
  };
}

const turnMs = 100;

/** Nodes that start together wait for the first: the lock belongs to a connection that is closed in any case. */
async function migrateOnce(url: string, folder: string) {
  const client = postgres(url, { max: 1, onnotice() {}, connect_timeout: 10 });
  try {
    await takeTurn(client);
    return await migrate(folder, {
      query: (text, values) => client.unsafe(text, values),
      script: async (text) => {
        await client.unsafe(text).simple();
      },
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** Asked again and again: an index that is made concurrently waits for every statement that waits. */
async function takeTurn(client: postgres.Sql) {
  for (;;) {
    const asked = client<{ isMine: boolean }[]>`select pg_try_advisory_lock(${advisoryLocks.migration}::bigint) as "isMine"`;
    const [answer] = await asked.catch((cause) => {
      throw new Error("DATABASE_URL: the database cannot be reached", { cause });
    });
    if (answer?.isMine) return;
    await new Promise((resolve) => setTimeout(resolve, turnMs));
  }
}
