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
  /** The socket is gone. May be called more than once. */
  closed(): void;
}
