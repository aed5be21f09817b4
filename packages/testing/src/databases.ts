import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { OpenDatabase } from "@parley/platform/node";
import { openPglite } from "@parley/platform/node/pglite";
import { openPostgres } from "@parley/platform/node/postgres";
import postgres from "postgres";

const fromRoot = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

export const migrationsFolder = fromRoot("drizzle");
/** Made by the build of the server. Without it each database begins with initdb, which takes seconds. */
export const pgliteTemplate = fromRoot("apps/server/dist/pglite-template.tar.gz");

export type DatabaseKind = OpenDatabase["kind"];

const postgresUrl = process.env.TEST_DATABASE_URL;

/** What a suite runs on: PGlite always, Postgres where one answers (`npm test` finds out and says so). */
export const databaseKinds: DatabaseKind[] = postgresUrl ? ["pglite", "postgres"] : ["pglite"];

export interface TestDatabase extends OpenDatabase, AsyncDisposable {
  /** Null for PGlite. */
  url: string | null;
}

/** A database of its own with the current schema; gone when it is closed. */
export function openTestDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  return kind === "pglite" ? openTestPglite() : openTestPostgres();
}

async function openTestPglite(): Promise<TestDatabase> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "parley-test-"));
  const template = existsSync(pgliteTemplate) ? pgliteTemplate : null;
  const open = await openPglite({ folder: path.join(folder, "database"), template, migrations: migrationsFolder });
  const close = async () => {
    await open.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...open, url: null, close, [Symbol.asyncDispose]: close };
}

async function openTestPostgres(): Promise<TestDatabase> {
  const template = await postgresTemplate();
  const name = `parley_test_${randomBytes(6).toString("hex")}`;
  await administer((sql) => sql.unsafe(`create database ${name} template ${template}`));
  const url = urlOf(name);
  const open = await openPostgres({ url, migrations: migrationsFolder });
  const close = async () => {
    await open.close();
    await administer((sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
  };
  return { ...open, url, close, [Symbol.asyncDispose]: close };
}

/** Migrated once a schema, whichever test process comes first. */
async function postgresTemplate(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(migrationsFolder).sort()) {
    if (file.endsWith(".sql")) hash.update(readFileSync(path.join(migrationsFolder, file)));
  }
  const name = `parley_template_${hash.digest("hex").slice(0, 12)}`;
  await administer(async (sql) => {
    await sql`select pg_advisory_lock(hashtext(${name}))`;
    const [known] = await sql`select datistemplate from pg_database where datname = ${name}`;
    if (known?.datistemplate) return;
    await sql.unsafe(`drop database if exists ${name} with (force)`);
    await sql.unsafe(`create database ${name}`);
    const open = await openPostgres({ url: urlOf(name), migrations: migrationsFolder });
    await open.close();
    await sql.unsafe(`alter database ${name} is_template true`);
  });
  return name;
}

async function administer(work: (sql: postgres.Sql) => Promise<unknown>) {
  const sql = postgres(urlOf("postgres"), { max: 1, onnotice() {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(postgresUrl ?? "");
  url.pathname = `/${database}`;
  return url.href;
}
