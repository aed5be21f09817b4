import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type Gate, type HeaderReader, readToken, type Socket, type SocketHub } from "@parley/api";
import { AppError } from "@parley/core";
import { type WebSocket, WebSocketServer } from "ws";

const maxPayload = 64 * 1024;
const refusals: Partial<Record<AppError["reason"], number>> = {
  not_found: 404,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  rate_limited: 429,
};

/** Serves `/trpc` upgrades on the port of the HTTP server. What does not pass the gate gets an HTTP answer and no socket. */
export function serveSockets(server: Server, { gate, hub }: { gate: Gate; hub: SocketHub }) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false, clientTracking: false });

  server.on("upgrade", (request, stream, head) => {
    stream.on("error", () => stream.destroy());
    try {
      const exchange = gate.open(readHead(request), request.socket.remoteAddress ?? "");
      gate.checkTarget(exchange);
      if (exchange.path !== "/trpc") throw new AppError("not_found", "Sockets are served at /trpc");
      if (exchange.site === "foreign") throw new AppError("origin_not_allowed", "Sockets are not opened from this origin");
      const caller = {
        address: exchange.address,
        userAgent: exchange.headers.get("user-agent"),
        token: readToken(exchange, "origin"),
        expectsConnectionParams: new URLSearchParams(exchange.search).get("connectionParams") === "1",
      };
      sockets.handleUpgrade(request, stream, head, (socket) => attach(socket, hub, caller));
    } catch (error) {
      refuse(stream, error instanceof AppError ? (refusals[error.reason] ?? 400) : 400);
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

function attach(socket: WebSocket, hub: SocketHub, opening: Parameters<SocketHub["open"]>[1]) {
  const adapter: Socket = {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
  };
  const connection = hub.open(adapter, opening);
  socket.on("message", (data, isBinary) => {
    if (isBinary) socket.close(1003, "text_only");
    else connection.message(data.toString());
  });
  socket.on("close", () => connection.closed());
  // A frame that breaks the protocol: ws closes the socket, and nobody else need know.
  socket.on("error", () => {});
}

function refuse(stream: Duplex, status: number) {
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
