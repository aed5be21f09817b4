import { type SocketEnding, socketEndings } from "@parley/contract/endings";
import type { Bodies, Failure } from "./frames.ts";
import type { Waiter } from "./lane.ts";
import type { SocketLimits } from "./limits.ts";
import type { Socket } from "./socket.ts";

export interface OutgoingEnvironment {
  readonly bodies: Bodies;
  readonly limits: SocketLimits;
  paused(outgoing: Outgoing): void;
  report(cause: unknown, message: string): void;
}

/** The sending half of a connection: it paces followers, and cuts off who never reads. */
export abstract class Outgoing {
  protected isSlow = false;
  protected isClosed = false;
  protected abstract readonly environment: OutgoingEnvironment;
  readonly #socket: Socket;
  #waiting: Set<Waiter> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get bodies(): Bodies {
    return this.environment.bodies;
  }

  get isFull(): boolean {
    return !this.isClosed && this.#socket.bufferedAmount > this.environment.limits.fullBytes;
  }

  /** For what is paced by `isFull`. */
  deliver(text: string): void {
    if (this.isClosed) return;
    try {
      this.#socket.send(text);
    } catch (cause) {
      this.report(cause, "a socket failed to send");
      this.terminate();
    }
  }

  /** For what cannot be paced. */
  send(text: string): void {
    this.deliver(text);
    if (!this.isClosed && this.#socket.bufferedAmount > this.environment.limits.overflowBytes) this.terminate();
  }

  refuse(head: string, failure: Failure): void {
    this.send(head + this.bodies.error(failure));
  }

  report(cause: unknown, message: string): void {
    this.environment.report(cause, message);
  }

  wait(waiter: Waiter): void {
    this.isSlow = true;
    this.#waiting ??= new Set();
    this.#waiting.add(waiter);
    this.environment.paused(this);
  }

  /** False while somebody still waits. Who waited longest goes first, and last the next time. */
  drain(): boolean {
    if (!this.#waiting) return true;
    if (this.#socket.bufferedAmount > this.environment.limits.drainedBytes) return false;
    for (const waiter of this.#waiting) {
      if (this.isFull) return false;
      this.#waiting.delete(waiter);
      waiter.resume();
    }
    return true;
  }

  protected get isWaitedFor(): boolean {
    return this.#waiting !== undefined && this.#waiting.size > 0;
  }

  protected heard(): void {
    this.isSlow = this.isWaitedFor;
  }

  close(reason: SocketEnding): void {
    this.#end(() => this.#socket.close(socketEndings[reason], reason));
  }

  terminate(): void {
    this.#end(() => this.#socket.terminate());
  }

  /** Everything that went on for the sake of this socket ends. */
  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#waiting = undefined;
    this.onClosed();
  }

  protected abstract onClosed(): void;

  #end(end: () => void): void {
    if (this.isClosed) return;
    this.closed();
    try {
      end();
    } catch (cause) {
      this.report(cause, "a socket failed to close");
    }
  }
}
