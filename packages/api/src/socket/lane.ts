import type { Call, Invoke } from "./call.ts";
import type { Bodies } from "./frames.ts";

/** Somebody who waits until the socket has drained. */
export interface Waiter {
  resume(): void;
}

/** What a subscription needs of its connection. */
export interface Host {
  readonly bodies: Bodies;
  readonly invoke: Invoke;
  /** Followers have to pause. */
  readonly isFull: boolean;
  /** Gives the call its context. */
  prepare(call: Call): Promise<void>;
  deliver(text: string): void;
  fail(call: Call, cause: unknown): void;
  /** For what no caller is waiting for any more. */
  report(cause: unknown, message: string): void;
  wait(waiter: Waiter): void;
  forget(id: Call["id"]): void;
  /** A subscription that had started is over. */
  ended(call: Call, milliseconds: number): void;
}

/** What a lane needs of its subscription. */
export interface Outlet {
  readonly host: Host;
  readonly isOver: boolean;
  deliver(body: string): void;
  fail(cause: unknown): void;
  finish(): void;
}

/** How the events of one subscription come to its socket. */
export interface Lane {
  start(): void;
  /** The outlet is finished once the lane has cleaned up. */
  stop(): void;
  /** The id of the event that the next one follows; null where that cannot be said. */
  position(): string | null;
}
