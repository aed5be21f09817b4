import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { admitSocket, type Gate, type HeaderReader, refusalOf, type SocketConnection, type SocketHub } from "@parley/api";
import { defaultLimits } from "@parley/api/limits";
import { socketEndings } from "@parley/contract/endings";
import { AppError } from "@parley/core";
import type { Log } from "@parley/core/ports";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { TextSocket } from "./text-socket.ts";

/** Serves `/trpc` upgrades on the port of the HTTP server. What does not pass the gate gets an HTTP answer and no socket. */
export function serveSockets(server: Server, { gate, hub, log }: { gate: Gate; hub: SocketHub; log: Log }) {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: defaultLimits.frameLength,
    perMessageDeflate: false,
    clientTracking: false,
  });

  server.on("upgrade", (request, stream, head) => {
    stream.on("error", () => stream.destroy());
    if (request.headers.upgrade?.toLowerCase() !== "websocket") return serveWithoutUpgrade(server, request, stream, head);
    try {
      const caller = admitSocket(gate, readHead(request), request.socket.remoteAddress ?? "");
      sockets.handleUpgrade(request, stream, head, (socket) => attach(socket, hub.open(new TextSocket(socket, stream), caller)));
    } catch (error) {
      const refusal = refusalOf(error);
      log.info({ address: request.socket.remoteAddress ?? null, ...refusal }, "a socket was refused");
      refuse(stream, refusal.status);
    }
  });
}

/** The request line comes from outside: it may be no path at all, and the host no host. */
function readHead(request: IncomingMessage) {
  const { headers, url = "", method = "GET" } = request;
  const host = headers.host ?? "";
  if (!url.startsWith("/") || !URL.canParse(url, `http://${host}`)) throw new AppError("invalid_input", "This is not an address");
  const reader: HeaderReader = {
    get(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
  };
  return { method, url: `http://${host}${url}`, headers: reader };
}

const connections = new WeakMap<WebSocket, SocketConnection>();

/** The handlers are shared: a closure a socket would be most of what an idle one costs. */
function attach(socket: WebSocket, connection: SocketConnection) {
  connections.set(socket, connection);
  socket.on("message", onMessage);
  socket.on("close", onClose);
  socket.on("error", onError);
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean) {
  if (isBinary) this.close(socketEndings.text_only, "text_only");
  else connections.get(this)?.message(data.toString());
}

function onClose(this: WebSocket) {
  connections.get(this)?.closed();
}

/** A frame that breaks the protocol: ws closes the socket, and nobody else need know. */
function onError() {}

function refuse(stream: Duplex, status: number) {
  const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
  // The client need not close, and after an upgrade nothing else does.
  stream.end(answer, () => stream.destroy());
}

/** Clients that offer HTTP/2 send an upgrade with plain requests too: the same bytes are read again, without the offer. */
function serveWithoutUpgrade(server: Server, request: IncomingMessage, stream: Duplex, head: Buffer) {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    if (!/^(upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", stream);
}
