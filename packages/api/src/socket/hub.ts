import type { SocketEnding } from "@parley/contract/endings";
import type { AccessChange, Services } from "@parley/core";
import type { AnyTRPCRouter, inferRouterContext } from "@trpc/server";
import type { Caller } from "../context.ts";
import { createInvoke } from "./call.ts";
import { Connection, type Environment } from "./connection.ts";
import { createBodies, reconnect, type SocketContext } from "./frames.ts";
import { defaultLimits, type SocketLimits } from "./limits.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Resting, Socket, SocketConnection } from "./socket.ts";

export interface SocketHubOptions<Router extends AnyTRPCRouter> {
  readonly router: Router;
  readonly log: Pick<Services["log"], "warn" | "debug">;
  readonly limits?: Partial<SocketLimits>;
  /** Once a connection. Each call gets a copy with a request id of its own. */
  createContext(caller: Caller): Promise<inferRouterContext<Router> & SocketContext>;
  requestId(): string;
}

export interface SocketOpening extends Caller {
  /** The URL said `connectionParams=1`: the first frame carries the token. */
  readonly expectsConnectionParams: boolean;
}

export interface Resumption<Context = SocketContext> extends Pick<Resting, "subscriptions"> {
  createContext(): Promise<Context>;
}

export interface SocketHub<Context = SocketContext> {
  open(socket: Socket, opening: SocketOpening): SocketConnection;
  /** Goes on with a socket that was left while it rested. */
  resume(socket: Socket, resumption: Resumption<Context>): SocketConnection;
  /** Every client opens a new socket and moves its subscriptions there before it leaves the old one. */
  broadcastReconnect(): void;
  /** Closes whatever may no longer be open. */
  accessChanged(change: AccessChange): void;
  closeAll(reason: SocketEnding): void;
  counts(): { connections: number; subscriptions: number };
}

type Timer = ReturnType<typeof setInterval>;

/** tRPC's WebSocket protocol for any runtime. All sockets share two timers, and none runs while nobody needs it. */
export function createSocketHub<Router extends AnyTRPCRouter>(
  options: SocketHubOptions<Router>,
): SocketHub<inferRouterContext<Router> & SocketContext> {
  const { router, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const connections = new Set<Connection>();
  const paused = new Set<Outgoing>();
  let changes = 0;
  let sweeping: Timer | undefined;
  let draining: Timer | undefined;
  const sweepsIn = (milliseconds: number) => Math.max(1, Math.ceil(milliseconds / limits.sweepMs));
  const report = (cause: unknown, message: string) => log.warn({ err: cause }, message);

  const environment: Environment = {
    bodies: createBodies(router, report),
    invoke: createInvoke(router),
    limits,
    sweepsUntil: {
      authenticated: sweepsIn(limits.authenticateMs),
      ping: sweepsIn(limits.pingAfterMs),
      answer: sweepsIn(limits.answerMs),
      slowAnswer: sweepsIn(limits.slowAnswerMs),
    },
    sweeps: 0,
    subscriptions: 0,
    createContext: (caller) => latest(() => options.createContext(caller)),
    note: (fields, message) => log.debug(fields, message),
    requestId: options.requestId,
    paused(outgoing) {
      paused.add(outgoing);
      draining ??= setInterval(drain, limits.drainMs);
    },
    closed(connection) {
      connections.delete(connection);
      paused.delete(connection);
      if (connections.size > 0) return;
      clearInterval(sweeping);
      sweeping = undefined;
    },
    report,
  };

  /** What ends while the credentials are being looked at would otherwise be missed. */
  async function latest(createContext: () => Promise<SocketContext>): Promise<SocketContext> {
    for (;;) {
      const seen = changes;
      const context = await createContext();
      if (seen === changes) return context;
    }
  }

  function enrol(socket: Socket): Connection {
    const connection = new Connection(socket, environment);
    connections.add(connection);
    sweeping ??= setInterval(sweep, limits.sweepMs);
    return connection;
  }

  function drain(): void {
    for (const outgoing of paused) {
      if (outgoing.drain()) paused.delete(outgoing);
    }
    if (paused.size > 0) return;
    clearInterval(draining);
    draining = undefined;
  }

  function sweep(): void {
    environment.sweeps++;
    for (const connection of connections) connection.sweep();
  }

  function dismissWhere(isMeant: (actor: SocketContext["actor"]) => boolean, reason: SocketEnding): void {
    for (const connection of connections) {
      if (isMeant(connection.actor)) connection.dismiss(reason);
    }
  }

  return {
    open(socket, { expectsConnectionParams, origin, token }) {
      const connection = enrol(socket);
      connection.open({ origin, token }, expectsConnectionParams);
      return connection;
    },
    resume(socket, { subscriptions, createContext }) {
      const connection = enrol(socket);
      connection.resume(() => latest(createContext), subscriptions);
      return connection;
    },
    broadcastReconnect() {
      for (const connection of connections) connection.send(reconnect);
    },
    accessChanged(change) {
      if (change.kind === "session_ended") {
        changes++;
        dismissWhere((actor) => actor?.sessionId === change.sessionId, change.kind);
      } else if (change.kind === "rights_changed") {
        changes++;
        dismissWhere((actor) => actor?.userId === change.userId, change.kind);
      }
    },
    closeAll(reason) {
      for (const connection of connections) connection.close(reason);
    },
    counts: () => ({ connections: connections.size, subscriptions: environment.subscriptions }),
  };
}
