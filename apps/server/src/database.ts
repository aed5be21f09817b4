import path from "node:path";
import type { OpenDatabase } from "@parley/platform/node";
import type { Environment } from "./config/variables.ts";

export interface Assets {
  migrations: string;
  /** Null makes a new embedded database from scratch. */
  pgliteTemplate: string | null;
}

/** Only the driver that is used is loaded. */
export async function openDatabase(config: Environment, { migrations, pgliteTemplate }: Assets): Promise<OpenDatabase> {
  if (config.DATABASE_URL) {
    const { openPostgres } = await import("@parley/platform/node/postgres");
    return openPostgres({ url: config.DATABASE_URL, migrations });
  }
  const { openPglite } = await import("@parley/platform/node/pglite");
  return openPglite({ folder: path.join(config.DATA_DIR, "database"), template: pgliteTemplate, migrations });
}
