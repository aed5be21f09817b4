export interface SocketLimits {
  /** How long a caller may take to say who it is. */
  readonly authenticateMs: number;
  /** Silence after which the server asks whether the client is still there. */
  readonly pingAfterMs: number;
  /** How long it may take to answer. */
  readonly answerMs: number;
  /** The same, for a client that reads slowly: its answer stands behind what it has not read. */
  readonly slowAnswerMs: number;
  /** How often all sockets are looked at; the times above are rounded up to it. */
  readonly sweepMs: number;
  /** How often sockets with a paused follower are looked at, while there is one. */
  readonly drainMs: number;
  readonly frameLength: number;
  readonly requestIdLength: number;
  readonly callsPerFrame: number;
  readonly callsUnderWay: number;
  readonly subscriptions: number;
  /** From here on followers are paused. */
  readonly fullBytes: number;
  /** From here down they continue. */
  readonly drainedBytes: number;
  /** From here on the socket is ended. */
  readonly overflowBytes: number;
}

export const defaultLimits: SocketLimits = {
  authenticateMs: 10_000,
  pingAfterMs: 25_000,
  answerMs: 10_000,
  slowAnswerMs: 120_000,
  sweepMs: 1_000,
  drainMs: 20,
  frameLength: 64 * 1024,
  requestIdLength: 100,
  callsPerFrame: 20,
  callsUnderWay: 100,
  subscriptions: 50,
  fullBytes: 256 * 1024,
  drainedBytes: 64 * 1024,
  overflowBytes: 1024 * 1024,
};
