import type { Socket } from "@parley/api";
import { socketEndings } from "@parley/contract/endings";
import type { ServerSocket } from "@parley/platform/workers/runtime";

/** So often a client is asked whether it has read everything until there. */
const askEveryBytes = 32 * 1_024;

export interface PacedSocket extends Socket {
  /** A PONG has come. */
  answered(): void;
  /** No PONG is on its way. */
  readonly isAnswered: boolean;
  /** Something was said to the client, or by it. */
  activeAt: number;
}

interface Options {
  /** What was sent before, and may not have been read. */
  unread: number;
  /** It was closed from here. */
  closed(): void;
}

/**
 * The runtime does not tell how much waits in a socket: a client tells it. It answers each PING with a PONG, in order, and has then
 * read all that was sent before.
 */
export function pacedSocket(server: ServerSocket, { unread, closed }: Options): PacedSocket {
  let sent = unread;
  let read = 0;
  /** What had been sent when each was asked. */
  const questions: number[] = [];

  function end(code: number, reason: string) {
    server.close(code, reason);
    closed();
  }

  return {
    activeAt: Date.now(),
    get bufferedAmount() {
      return sent - read;
    },
    get isAnswered() {
      return questions.length === 0;
    },
    send(text) {
      server.send(text);
      sent += text.length;
      if (text === "PING") {
        questions.push(sent);
        return;
      }
      this.activeAt = Date.now();
      if (sent - (questions.at(-1) ?? read) >= askEveryBytes) this.send("PING");
    },
    answered() {
      read = questions.shift() ?? read;
    },
    close: end,
    terminate: () => end(socketEndings.terminated, "terminated"),
  };
}
