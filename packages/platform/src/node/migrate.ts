import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

/** One connection. */
export interface MigrationTarget {
  query(text: string, values?: string[]): Promise<Record<string, unknown>[]>;
  /** Several statements at once. */
  script(text: string): Promise<void>;
}

interface Journal {
  entries: { tag: string; when: number }[];
}

/** The first line of a migration that cannot run inside a transaction, as `create index concurrently` cannot. */
const outsideTransaction = "-- outside a transaction";

/**
 * Applies what is missing, in order, into the table that drizzle-kit knows. Each migration is a transaction of its own;
 * one that must not hold a lock on a large table says so and runs outside, statement by statement, and is repeatable.
 */
export async function migrate(folder: string, target: MigrationTarget): Promise<{ hashes: string[] }> {
  const migrations = await readMigrations(folder);
  await target.script(`create schema if not exists drizzle;
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`);
  const applied = new Set((await target.query("select hash from drizzle.__drizzle_migrations")).map(({ hash }) => hash));
  for (const { tag, when, text, hash } of migrations) {
    if (applied.has(hash)) continue;
    const mark = `insert into drizzle.__drizzle_migrations (hash, created_at) values ('${hash}', ${when})`;
    if (text.startsWith(outsideTransaction)) {
      for (const single of text.split("--> statement-breakpoint")) await target.script(single);
      await target.script(mark);
    } else {
      await target.script(`begin; ${text}; ${mark}; commit`).catch(async (error) => {
        await target.script("rollback");
        throw new Error(`The migration ${tag} failed`, { cause: error });
      });
    }
  }
  return { hashes: migrations.map(({ hash }) => hash) };
}

/** What this version brings, in order. */
export async function readMigrations(folder: string) {
  const { entries }: Journal = JSON.parse(await readFile(path.join(folder, "meta/_journal.json"), "utf8"));
  return Promise.all(
    entries.map(async ({ tag, when }) => {
      const text = await readFile(path.join(folder, `${tag}.sql`), "utf8");
      return { tag, when, text, hash: createHash("sha256").update(text).digest("hex") };
    }),
  );
}
