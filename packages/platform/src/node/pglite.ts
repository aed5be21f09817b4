import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { schema } from "@parley/core/database";
import { drizzle } from "drizzle-orm/pglite";
import { countApplied } from "../shared/count-applied.ts";
import { lockFolder } from "./folder-lock.ts";
import { type MigrationTarget, migrate } from "./migrate.ts";
import type { OpenDatabase } from "./open-database.ts";
import { unpackTemplate } from "./pglite-template.ts";

interface Options {
  folder: string;
  /** A data folder packed with its migrations applied: saves the first start from making one. */
  template: string | null;
  migrations: string;
}

/** Postgres inside this process. It survives a killed process; it does not flush to the disk, so not a power cut. */
export async function openPglite({ folder, template, migrations }: Options): Promise<OpenDatabase> {
  const parent = path.dirname(folder);
  await mkdir(parent, { recursive: true });
  const lock = await lockFolder(parent);
  try {
    if (template && !existsSync(folder)) await unpackTemplate(template, folder);
    const client = await PGlite.create({ dataDir: folder }).catch((cause) => {
      throw new Error(`The database in ${folder} cannot be opened: restore it, or move it away to begin anew`, { cause });
    });
    const database = drizzle(client, { schema });
    const { hashes } = await migrate(migrations, targetOf(client));
    return {
      kind: "pglite",
      database,
      openLogStore: null,
      connections: 1,
      ping: async () => {
        await client.query("select 1");
      },
      isMigrated: async () => {
        const { rows } = await client.query<{ count: number }>(countApplied, [hashes]);
        return rows[0]?.count === hashes.length;
      },
      close: async () => {
        await client.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export async function makePgliteTemplate(migrations: string): Promise<Uint8Array> {
  const client = await PGlite.create();
  await migrate(migrations, targetOf(client));
  await client.exec("checkpoint");
  const packed = await client.dumpDataDir("gzip");
  await client.close();
  return new Uint8Array(await packed.arrayBuffer());
}

function targetOf(client: PGlite): MigrationTarget {
  return {
    query: async (text, values) => (await client.query<Record<string, unknown>>(text, values ?? [])).rows,
    script: async (text) => {
      await client.exec(text);
    },
  };
}
