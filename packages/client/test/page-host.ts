import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";

export interface PageHost extends AsyncDisposable {
  url: string;
  /** From now on the server is there. */
  moveTo(server: string): void;
  /** How many sockets are open. */
  open(): number;
  /** Breaks every socket that is open. */
  cut(): number;
}

const html = '<!doctype html><meta charset="utf-8"><title>Chat</title><body><script type="module" src="/chat.js"></script>';

/** A page beside a Parley server, on one origin, as behind a reverse proxy. */
export async function hostPage(program: Buffer, server: string): Promise<PageHost> {
  let target = new URL(server);
  const sockets = new Set<Socket>();
  const host = createServer((incoming, outgoing) => {
    if (incoming.url?.match(/^\/(?:\?|$)/)) return void outgoing.setHeader("content-type", "text/html").end(html);
    if (incoming.url === "/chat.js") return void outgoing.setHeader("content-type", "text/javascript").end(program);
    const { method, url: path, headers } = incoming;
    const upstream = request({ host: target.hostname, port: target.port, method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
      response.on("error", () => outgoing.destroy());
    });
    upstream.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    incoming.pipe(upstream);
  });
  host.on("upgrade", ({ method, url, rawHeaders }, downstream: Socket, head) => {
    const upstream = connect(Number(target.port), target.hostname);
    const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    upstream.write(`${method} ${url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(downstream).pipe(upstream);
    sockets.add(downstream);
    for (const socket of [upstream, downstream]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(downstream);
        upstream.destroy();
        downstream.destroy();
      });
    }
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  const address = host.address();
  if (typeof address !== "object" || address === null) throw new Error("The page has no port");
  const cut = () => {
    const open = [...sockets];
    for (const socket of open) socket.destroy();
    return open.length;
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    moveTo(next) {
      target = new URL(next);
    },
    open: () => sockets.size,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      host.close();
      host.closeAllConnections();
    },
  };
}
