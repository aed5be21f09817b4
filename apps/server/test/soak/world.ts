import { databaseKinds, openTestDatabase } from "@parley/testing";
import { type Node, startNode } from "./node.ts";
import { hasRedisServer, startRedisServer } from "./redis-server.ts";
import { createStage } from "./stage.ts";
import { mutate } from "./wire.ts";

export type LogKind = "memory" | "postgres" | "redis";

/** The event logs that can be had here. */
export const logKinds: LogKind[] = [
  "memory",
  ...(databaseKinds.includes("postgres") ? (["postgres"] as const) : []),
  ...(databaseKinds.includes("postgres") && hasRedisServer ? (["redis"] as const) : []),
];

export interface Person {
  name: string;
  token: string;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The stores that all nodes of one kind share, and what the models say. */
export async function openWorld(kind: LogKind) {
  const database = await openTestDatabase(kind === "memory" ? "pglite" : "postgres");
  const redis = kind === "redis" ? await startRedisServer() : null;
  const stage = createStage();
  let people = 0;
  return {
    kind,
    database: database.database,
    redis,
    stage,
    start: (name: string) => startNode(name, { database, redisUrl: redis?.url ?? null, stage }),
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
      await database.close();
    },
  };
}
