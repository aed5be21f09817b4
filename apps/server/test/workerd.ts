import { type DatabaseKind, databaseKinds, type TestDatabase } from "@parley/testing";
import { startLocalWorker } from "../scripts/edge/local-worker.ts";

/** Where the same tests run: the process on each database, and the worker, which has no embedded one. */
export type Place = DatabaseKind | "workerd";

export const places: Place[] = databaseKinds.includes("postgres") ? [...databaseKinds, "workerd"] : [...databaseKinds];

/** Of what is tried with the server as it is shipped, in a process of its own. */
export const runtimes = places.includes("workerd") ? (["node", "workerd"] as const) : (["node"] as const);
export type Runtime = (typeof runtimes)[number];

export async function startWorkerd(database: TestDatabase, variables: Record<string, string>) {
  const worker = await startLocalWorker({ databaseUrl: database.url ?? "", variables });
  return {
    url: worker.url,
    async stop() {
      await worker.stop();
      await database.close();
    },
  };
}
