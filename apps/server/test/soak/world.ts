import { databaseKinds, openTestDatabase } from "@parley/testing";
import { startEdge } from "./edge.ts";
import { type Node, startNode } from "./node.ts";
import { hasRedisServer, startRedisServer } from "./redis-server.ts";
import { createStage } from "./stage.ts";
import { mutate } from "./wire.ts";

/** The edge's are in its objects. */
export type LogKind = "memory" | "postgres" | "redis" | "edge";

/** The event logs that can be had here. */
export const logKinds: LogKind[] = [
  "memory",
  ...(databaseKinds.includes("postgres") ? (["postgres"] as const) : []),
  ...(databaseKinds.includes("postgres") && hasRedisServer ? (["redis"] as const) : []),
  ...(databaseKinds.includes("postgres") ? (["edge"] as const) : []),
];

export interface Person {
  name: string;
  token: string;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The stores that all nodes of one kind share, and what the models say. At the edge there is one worker, which all lanes share. */
export async function openWorld(kind: LogKind) {
  const database = await openTestDatabase(kind === "memory" ? "pglite" : "postgres");
  const redis = kind === "redis" ? await startRedisServer() : null;
  const stage = createStage();
  const edge = kind === "edge" ? await startEdge({ database, stage }) : null;
  let people = 0;
  return {
    kind,
    /** What nodes do now and then is done when a case says so; the worker does it by itself. */
    isDriven: kind !== "edge",
    database: database.database,
    redis,
    stage,
    start: async (name: string): Promise<Node> =>
      edge ? edge.node : startNode(name, { database, redisUrl: redis?.url ?? null, stage }),
    async register(node: Node): Promise<Person> {
      const name = `person-${++people}`;
      const account = { email: `${name}@example.com`, password: "Correct-horse-1" };
      const registered = await mutate<{ tokens: { accessToken: string } }>(
        { port: node.port, token: "" },
        "auth.register",
        account,
      );
      if ("refusal" in registered) throw new Error(`Nobody can register: ${JSON.stringify(registered.refusal)}`);
      return { name, token: registered.output.tokens.accessToken };
    },
    async close() {
      await redis?.stop();
      await edge?.stop();
      await database.close();
    },
  };
}
