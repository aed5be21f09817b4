import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Database } from "./index.ts";

const dialect = new PgDialect();

export const value = sql.placeholder;

/**
 * A statement written by hand. Its text is built once, when it is first asked, and the server keeps its plan: one round trip a call.
 * Times come back as strings, because drivers differ; `readInstant` reads them.
 */
export function statement<Values extends object, Row>(name: string, text: SQL) {
  type Prepared = { execute: Row[] | { rows: Row[] }; all: unknown; values: unknown };
  let query: ReturnType<typeof dialect.sqlToQuery> | undefined;
  const prepare = (database: Database) => {
    query ??= dialect.sqlToQuery(text);
    return database._.session.prepareQuery<Prepared>(query, undefined, name, false);
  };
  const preparedFor = new WeakMap<Database, ReturnType<typeof prepare>>();
  return async (database: Database, values: Values): Promise<Row[]> => {
    let prepared = preparedFor.get(database);
    if (!prepared) {
      prepared = prepare(database);
      preparedFor.set(database, prepared);
    }
    const result = await prepared.execute(asRecord(values));
    return Array.isArray(result) ? result : result.rows;
  };
}

/** An interface is no record, as far as types go: its copy is. */
const asRecord = (values: object): Record<string, unknown> => ({ ...values });

/** A row as a statement gives it. */
export type Written<Row> = {
  [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key];
};

/** Keeps what a query builder prepared, once a database. */
export function prepared<Query>(prepare: (database: Database) => Query): (database: Database) => Query {
  const preparedFor = new WeakMap<Database, Query>();
  return (database) => {
    const known = preparedFor.get(database);
    if (known !== undefined) return known;
    const query = prepare(database);
    preparedFor.set(database, query);
    return query;
  };
}

export const readInstant = (text: string) => new Date(text);
export const readInstantOrNull = (text: string | null) => (text === null ? null : new Date(text));
