import { createServer, request } from "node:http";
import { listenLocally } from "@parley/testing";

/** Passes everything on, and says how often a procedure was called. */
export async function countingProxy(target: string) {
  const { hostname, port } = new URL(target);
  const called: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = "" } = incoming;
    called.push(...(url.split("?", 1)[0] ?? "").replace("/trpc/", "").split(","));
    const onward = request({ hostname, port, method, headers, path: url }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const { url } = await listenLocally(server);
  return {
    url,
    count: (procedure: string) => called.filter((each) => each === procedure).length,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
