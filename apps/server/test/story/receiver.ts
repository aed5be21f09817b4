import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { listenLocally } from "@parley/testing";

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Takes whatever is posted to it. */
export async function startReceiver() {
  const taken: { path: string; headers: Record<string, unknown>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    taken.push({ path: request.url ?? "", headers: request.headers, body: await text(request) });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const { url } = await listenLocally(server);
  return {
    url,
    taken,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
