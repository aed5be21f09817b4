import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type * as schema from "./schema.ts";

/** Postgres, wherever it runs: embedded, over the network, or behind a connection pooler. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export { advisoryLocks } from "./advisory-locks.ts";
export * as schema from "./schema.ts";
