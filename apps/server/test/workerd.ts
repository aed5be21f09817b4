import type { Provider } from "@parley/core/ports";
import { type DatabaseKind, databaseKinds, type LogLine, serveProvider, type TestDatabase } from "@parley/testing";
import { startLocalWorker } from "../scripts/edge/local-worker.ts";

/** Where the same tests run: the process on each database, and the worker, which has no embedded one. */
export type Place = DatabaseKind | "workerd";

export const places: Place[] = databaseKinds.includes("postgres") ? [...databaseKinds, "workerd"] : [...databaseKinds];

/** Of what is tried with the server as it is shipped, in a process of its own. */
export const runtimes = places.includes("workerd") ? (["node", "workerd"] as const) : (["node"] as const);
export type Runtime = (typeof runtimes)[number];

/** For tests that are about clients, to whom all databases are one. */
export const clientPlaces: Place[] = places.filter((place) => place !== "postgres");

interface Given {
  database: TestDatabase;
  variables: Record<string, string>;
  /** One at most: it is asked over HTTP, as an OpenAI-compatible vendor. */
  providers?: Provider[];
  onLine?: (line: LogLine) => void;
}

/** A line of its log; null for what the runtime says. */
function readLine(text: string): LogLine | null {
  if (!text.startsWith('{"level"')) return null;
  const { level, time: _, msg: message, ...fields } = JSON.parse(text) as Pick<LogLine, "level"> & { time: string; msg: string };
  return { level, message, fields };
}

export async function startWorkerd({ database, variables, providers = [], onLine }: Given) {
  const [provider, ...more] = providers;
  if (more.length > 0) throw new Error("The worker asks one vendor of a test's own, and no more");
  const vendor = provider ? await serveProvider(provider) : null;
  const worker = await startLocalWorker({
    databaseUrl: database.url ?? "",
    variables: { ...variables, ...(vendor && { OPENAI_COMPATIBLE_BASE_URL: vendor.url, OPENAI_COMPATIBLE_API_KEY: "a-key" }) },
    onLine(text) {
      const line = readLine(text);
      if (line) onLine?.(line);
    },
  });
  return {
    url: worker.url,
    async stop() {
      await worker.stop();
      await vendor?.stop();
      await database.close();
    },
  };
}
