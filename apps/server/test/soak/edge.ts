import { collectingLog, type TestDatabase } from "@parley/testing";
import { startWorkerd } from "../workerd.ts";
import { targetAt } from "./line.ts";
import type { Node } from "./node.ts";
import { unlimited } from "./node.ts";
import type { Stage } from "./stage.ts";

interface Parts {
  database: TestDatabase;
  stage: Stage;
}

/**
 * The worker in workerd, as a node that does not crash and that nobody drives: what it does now and then it does by itself.
 * Its models are asked over HTTP.
 */
export async function startEdge({ database, stage }: Parts) {
  const name = "edge";
  const log = collectingLog();
  const worker = await startWorkerd({
    database,
    variables: { ...unlimited, LOG_LEVEL: "warn" },
    providers: [stage.provider({ name, hasCrashed: false })],
    onLine: (line) => log.lines.push(line),
  });
  const port = Number(new URL(worker.url).port);
  const node: Node = {
    name,
    port,
    log,
    hasCrashed: false,
    toDatabase: null,
    toRedis: null,
    connect: targetAt(port),
    save: async () => true,
    reap: async () => true,
    lookForEnds: async () => true,
    settled: async () => false,
    crash() {
      throw new Error("There is no crash at the edge: the form with processes has them");
    },
    async stop() {},
  };
  return { node, stop: worker.stop };
}
