import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { freePort } from "@parley/testing";
import { Redis } from "ioredis";

export const hasRedisServer = spawnSync("redis-server", ["--version"]).status === 0;

export type RedisServer = Awaited<ReturnType<typeof startRedisServer>>;

/** A Redis of one's own, that may be emptied at any time. */
export async function startRedisServer() {
  const port = await freePort();
  const child = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) if (line.includes("Ready to accept connections")) break;
  child.stdout.resume();
  const client = new Redis(port, "127.0.0.1");
  client.on("error", () => {});
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async flush() {
      await client.flushall();
    },
    async stop() {
      client.disconnect();
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
