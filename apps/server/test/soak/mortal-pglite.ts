import type { PGlite, Transaction } from "@electric-sql/pglite";
import { type Database, schema } from "@parley/core/database";
import { drizzle, type PgliteDatabase } from "drizzle-orm/pglite";

/** A new one each time: whatever waits for it can be forgotten with it. */
const never = () => new Promise<never>(() => {});

/** One process's handle of an embedded database: once that process is gone, nothing more is written by it or told to it. */
export function mortalHandle(database: Database, process: { readonly hasCrashed: boolean }): Database {
  const client = (database as PgliteDatabase<typeof schema> & { $client: PGlite }).$client;
  async function whileAlive<Result>(work: () => Promise<Result>): Promise<Result> {
    if (process.hasCrashed) return never();
    try {
      const result = await work();
      return process.hasCrashed ? await never() : result;
    } catch (error) {
      if (process.hasCrashed) return never();
      throw error;
    }
  }
  const query: PGlite["query"] = (...given) => whileAlive(() => client.query(...given));
  const exec: PGlite["exec"] = (...given) => whileAlive(() => client.exec(...given));
  const transaction: PGlite["transaction"] = (work) => whileAlive(() => client.transaction((inside) => work(mortal(inside))));

  /** What it had begun is rolled back. */
  function mortal(inside: Transaction): Transaction {
    const check = () => {
      if (process.hasCrashed) throw new Error("This process has crashed");
    };
    return new Proxy(inside, {
      get(target, name) {
        if (name === "query" || name === "exec") check();
        return Reflect.get(target, name);
      },
    });
  }

  const own: Record<PropertyKey, unknown> = { query, exec, transaction };
  const handle = new Proxy(client, { get: (target, name) => own[name] ?? Reflect.get(target, name, target) });
  return drizzle(handle, { schema });
}
