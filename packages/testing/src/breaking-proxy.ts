import { connect, createServer, type Socket } from "node:net";
import { listenLocally } from "./listening.ts";

export interface BreakingProxy {
  url: string;
  /** How many connections it has broken. */
  broken(): number;
  close(): void;
}

const streams = /^HTTP\/1\.1 (?:101 |200 .*text\/event-stream)/s;
const compression = /^sec-websocket-extensions:.*\r\n/im;
const patienceBytes = 3_000;

/** Breaks whatever streams, again and again: a train in the hills. Ordinary answers pass. */
export async function breakingProxy(target: string): Promise<BreakingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let broken = 0;
  const server = createServer((downstream) => {
    const upstream = connect(Number(port), hostname);
    let passed = 0;
    let isStream = false;
    for (const socket of [downstream, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        upstream.destroy();
        downstream.destroy();
      });
    }
    // Uncompressed, frames are as long on each server. A connection may have carried calls before it asks for a socket.
    downstream.on("data", (chunk) => {
      const asksForOne = chunk.subarray(0, 4).toString("latin1") === "GET ";
      upstream.write(asksForOne ? Buffer.from(chunk.toString("latin1").replace(compression, ""), "latin1") : chunk);
    });
    upstream.on("data", (chunk) => {
      downstream.write(chunk);
      const text = chunk.toString("latin1");
      if (text.startsWith("HTTP/1.1 ")) {
        // A connection that has streamed may be used again for an ordinary answer.
        isStream = streams.test(text);
        passed = 0;
      }
      passed += chunk.length;
      if (!isStream || passed < patienceBytes) return;
      broken++;
      downstream.destroy();
    });
  });
  const { url } = await listenLocally(server);
  return {
    url,
    broken: () => broken,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
