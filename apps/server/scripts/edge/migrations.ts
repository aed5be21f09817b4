import { fileURLToPath } from "node:url";
import { openPostgres } from "@parley/platform/node/postgres";

export const migrationsFolder = fileURLToPath(new URL("../../../../drizzle", import.meta.url));

/** False for a database that is of a later version. */
export async function applyMigrations(url: string): Promise<boolean> {
  const database = await openPostgres({ url, migrations: migrationsFolder, poolSize: 1 });
  const isMigrated = await database.isMigrated();
  await database.close();
  return isMigrated;
}
