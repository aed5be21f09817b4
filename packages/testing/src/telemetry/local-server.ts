import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenLocally } from "../listening.ts";

/** An HTTP server on this machine, for one test. What hangs ends with it. */
export async function startLocalServer(serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const { port } = await listenLocally(server);
  return {
    port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
