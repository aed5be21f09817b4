import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Database } from "@parley/core/database";
import { openPglite } from "@parley/platform/node/pglite";
import { migrationsFolder, openTestDatabase, startUpstream } from "@parley/testing";
import { type ProcessNode, startProcess } from "./process-node.ts";
import { startRedisServer } from "./redis-server.ts";
import type { LogKind } from "./world.ts";

export type ProcessWorld = Awaited<ReturnType<typeof openProcessWorld>>;

/** One process on an embedded database or at the edge, or two that share theirs, and a vendor on this machine. */
export async function openProcessWorld(kind: LogKind) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "parley-soak-"));
  const shared = kind === "memory" ? null : await openTestDatabase("postgres");
  const redis = kind === "redis" ? await startRedisServer() : null;
  const upstream = await startUpstream();
  const processes: ProcessNode[] = [];
  const nodes: ProcessNode[] = [];
  const start = async () => {
    const env = {
      OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
      OPENAI_COMPATIBLE_API_KEY: "a-key",
      ...(shared?.url && { DATABASE_URL: shared.url }),
      ...(redis && { REDIS_URL: redis.url }),
    };
    const node = await startProcess(folder, env, kind === "edge" ? "workerd" : "node");
    processes.push(node);
    return node;
  };
  return {
    kind,
    upstream,
    redis,
    nodes,
    /** Once the vendor's models are known: they are asked for at the start. */
    async open() {
      nodes.push(await start());
      if (shared && kind !== "edge") nodes.push(await start());
    },
    async restart(index: number) {
      nodes[index] = await start();
    },
    /** What they have all written. An embedded database is opened by one process at a time: theirs ends first. */
    async read<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
      if (shared) return work(shared.database);
      for (const node of nodes) await node.end("SIGTERM");
      const opened = await openPglite({
        folder: path.join(folder, "data/database"),
        template: null,
        migrations: migrationsFolder,
      });
      try {
        return await work(opened.database);
      } finally {
        await opened.close();
      }
    },
    async close() {
      await Promise.all(processes.map((node) => node.end("SIGKILL")));
      await upstream.stop();
      await redis?.stop();
      await shared?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
