import type { Socket, SocketConnection } from "@parley/api";

/** Of the runtime's socket, what the DOM's has not. */
export interface ServerSocket extends WebSocket {
  accept(): void;
}

declare const WebSocketPair: new () => { 0: WebSocket; 1: ServerSocket };

export function socketPair(): { client: WebSocket; server: ServerSocket } {
  const { 0: client, 1: server } = new WebSocketPair();
  return { client, server };
}

interface Ends {
  open(socket: Socket): SocketConnection;
  /** Once, when it is gone. */
  closed(): void;
}

export function acceptSocket(server: ServerSocket, { open, closed }: Ends): void {
  let isGone = false;
  server.accept();
  const connection = open({
    // The runtime does not tell.
    bufferedAmount: 0,
    send(text) {
      if (!isGone) server.send(text);
    },
    close(code, reason) {
      server.close(code, reason);
      gone();
    },
    terminate() {
      server.close(1011, "terminated");
      gone();
    },
  });

  function gone() {
    if (isGone) return;
    isGone = true;
    connection.closed();
    closed();
  }

  server.addEventListener("message", ({ data }) => {
    if (isGone) return;
    if (typeof data === "string") return connection.message(data);
    server.close(1003, "text_only");
    gone();
  });
  server.addEventListener("close", ({ code, reason }) => {
    if (!isGone) server.close(code === 1005 || code === 1006 ? 1000 : code, reason);
    gone();
  });
  server.addEventListener("error", gone);
}
