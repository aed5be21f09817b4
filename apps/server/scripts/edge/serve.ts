// `npm run edge`: the worker in workerd on this machine, on a Postgres that its migrations are applied to before.
import { existsSync } from "node:fs";
import path from "node:path";
import postgres from "postgres";
import { readConfig } from "../../src/config/config.ts";
import { localSecret } from "../../src/config/local-secret.ts";
import { variables } from "../../src/config/variables.ts";
import { startLocalWorker } from "./local-worker.ts";
import { applyMigrations } from "./migrations.ts";

const usualDatabase = "postgres://postgres@127.0.0.1:5432/parley";

if (existsSync(".env")) process.loadEnvFile(".env");
const config = readConfig(process.env);
const databaseUrl = config.DATABASE_URL ?? (await madeDatabase(usualDatabase));
await applyMigrations(databaseUrl);

const given = Object.keys(variables).flatMap((name) => {
  const value = process.env[name];
  return value && name !== "DATABASE_URL" && name !== "REDIS_URL" ? [[name, value]] : [];
});
const JWT_SECRET = process.env.JWT_SECRET || (await localSecret(config.DATA_DIR));
const worker = await startLocalWorker({
  databaseUrl,
  variables: { ...Object.fromEntries(given), JWT_SECRET },
  port: config.PORT,
  folder: path.join(config.DATA_DIR, "edge"),
  onGone() {
    console.error("workerd has ended by itself");
    process.exit(1);
  },
  // The runtime also tells of every client that leaves, with its stack.
  onLine: (line) => (line.startsWith("{") || config.LOG_LEVEL === "debug") && console.error(line),
});
console.log(`Parley    ${worker.url}`);
console.log("Runtime   workerd, the worker as it is deployed");
console.log(`Database  Postgres at ${new URL(databaseUrl).host}, objects in ${config.DATA_DIR}/edge`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void worker.stop());

/** On the Postgres of this machine, once. */
async function madeDatabase(url: string): Promise<string> {
  const { pathname } = new URL(url);
  const name = pathname.slice(1);
  const client = postgres(new URL("/postgres", url).href, { max: 1, onnotice() {} });
  try {
    const [known] = await client`select 1 from pg_database where datname = ${name}`;
    if (!known) await client.unsafe(`create database ${name}`);
  } catch (cause) {
    throw new Error("There is no Postgres on this machine: set DATABASE_URL", { cause });
  } finally {
    await client.end();
  }
  return url;
}
