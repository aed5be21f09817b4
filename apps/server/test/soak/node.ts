import type { Socket } from "node:net";
import type { OpenDatabase } from "@parley/platform/node";
import { openPostgres } from "@parley/platform/node/postgres";
import { collectingLog, collectingMailer, migrationsFolder, type TestDatabase, testSystem } from "@parley/testing";
import { readConfig } from "../../src/config/config.ts";
import { startServer } from "../../src/start.ts";
import { type Driven, drivenBackground } from "./driven-background.ts";
import { openLine, targetAt } from "./line.ts";
import { mortalHandle } from "./mortal-pglite.ts";
import type { Stage } from "./stage.ts";

export interface NodeParts {
  database: TestDatabase;
  redisUrl: string | null;
  stage: Stage;
}

export type Node = Awaited<ReturnType<typeof startNode>>;

/** There are many nodes, and Postgres has room for a hundred connections. */
const poolSize = 3;

export const unlimited = {
  JWT_SECRET: "for-tests-only-0123456789-0123456789",
  RATE_LIMIT_GENERAL: "off",
  RATE_LIMIT_GENERAL_GUEST: "off",
  RATE_LIMIT_CHAT: "off",
  RATE_LIMIT_SIGN_IN: "off",
  RATE_LIMIT_PROVIDER_REQUESTS: "off",
  RATE_LIMIT_PROVIDER_TOKENS: "off",
  OLLAMA_URL: "off",
  ACCESS_TOKEN_TTL: "30d",
};

/**
 * A whole server in this process, with lines between it and its stores. A crash breaks what leads to it, and the stores hear
 * nothing more of it: whatever it still has in memory is nobody's.
 */
export async function startNode(name: string, { database, redisUrl, stage }: NodeParts) {
  const life = { name, hasCrashed: false };
  const log = collectingLog();
  const background = drivenBackground(log);
  const toDatabase = database.url ? await openLineTo(database.url) : null;
  const toRedis = redisUrl ? await openLineTo(redisUrl) : null;
  const config = readConfig({
    PORT: "0",
    ...unlimited,
    ...(toDatabase && { DATABASE_URL: toDatabase.url }),
    ...(toRedis && { REDIS_URL: toRedis.url }),
  });
  const openDatabase = async (): Promise<OpenDatabase> =>
    toDatabase
      ? openPostgres({ url: toDatabase.url, migrations: migrationsFolder, poolSize })
      : { ...database, database: mortalHandle(database.database, life), close: async () => {} };
  const server = await startServer(config, {
    assets: { migrations: migrationsFolder, pgliteTemplate: null },
    log,
    overrides: {
      background,
      mailer: collectingMailer().mailer,
      providers: [stage.provider(life)],
      openDatabase,
      // What a crashed one measures with would go on measuring.
      system: Object.assign(testSystem(name), { close() {} }),
    },
  });
  const port = Number(new URL(server.url).port);
  const connectTo = targetAt(port);
  const connections = new Set<Socket>();
  let wakeAtCrash = () => {};
  const crashed = new Promise<false>((resolve) => {
    wakeAtCrash = () => resolve(false);
  });

  function closeLines() {
    for (const line of [toDatabase?.line, toRedis?.line]) line?.close();
  }

  /** False when it could not be done: the process is gone, or its database is. */
  async function tryNow(name: Driven): Promise<boolean> {
    if (life.hasCrashed) return false;
    const done = background.now(name).then(
      () => true,
      () => false,
    );
    return Promise.race([done, crashed]);
  }

  return {
    name,
    port,
    log,
    get hasCrashed() {
      return life.hasCrashed;
    },
    toDatabase: toDatabase?.line ?? null,
    toRedis: toRedis?.line ?? null,
    connect(): Socket | null {
      if (life.hasCrashed) return null;
      const socket = connectTo();
      if (!socket) return null;
      connections.add(socket);
      socket.on("close", () => connections.delete(socket));
      return socket;
    },
    save: () => tryNow("checkpoint"),
    reap: () => tryNow("reap"),
    lookForEnds: () => tryNow("look for ended runs"),
    /** What it began at its start, the reaping of an only process among it. */
    settled: () => Promise.race([background.settled(), crashed]),
    crash() {
      life.hasCrashed = true;
      background.stop();
      for (const line of [toDatabase?.line, toRedis?.line]) line?.swallow();
      for (const socket of connections) socket.destroy();
      wakeAtCrash();
      // Its port, pool and clients are given back. It can say nothing more to anybody.
      void server.stop().finally(closeLines);
    },
    async stop() {
      for (const socket of connections) socket.destroy();
      await server.stop();
      closeLines();
    },
  };
}

async function openLineTo(address: string) {
  const url = new URL(address);
  const line = await openLine(targetAt(Number(url.port), url.hostname));
  url.hostname = "127.0.0.1";
  url.port = String(line.port);
  return { line, url: url.href };
}
