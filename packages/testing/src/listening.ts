import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** On this machine alone; on a port that is free, if none is named. */
export async function listenLocally(server: Server, options: { port?: number; backlog?: number } = {}) {
  server.listen({ port: 0, host: "127.0.0.1", ...options });
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server listens on no port");
  return { port: address.port, url: `http://127.0.0.1:${address.port}` };
}

/** One that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listenLocally(server);
  server.close();
  await once(server, "close");
  return port;
}
