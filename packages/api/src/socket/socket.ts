import type { Call } from "./call.ts";
import type { SocketContext } from "./frames.ts";

/** The smallest socket that every runtime has. */
export interface Socket {
  send(text: string): void;
  /** Begins the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends the connection at once and gives up what has not been sent. */
  terminate(): void;
  /** Bytes that were sent and that the network has not taken yet. */
  readonly bufferedAmount: number;
}

/** What the adapter of a socket tells us. */
export interface SocketConnection {
  /** A text frame has come. Never throws. */
  message(text: string): void;
  /** The socket is gone, or somebody else's now. May be called more than once. */
  closed(): void;
  /** Null while anything is under way that another connection could not go on with. */
  resting(): Resting | null;
}

/** All that a quiet connection is: another one on the same socket goes on from it, and the client does not notice. */
export interface Resting {
  readonly context: SocketContext;
  readonly subscriptions: readonly RestingSubscription[];
}

export interface RestingSubscription extends Pick<Call, "id" | "head" | "path"> {
  /** What its next event follows. */
  readonly lastEventId: string;
}
