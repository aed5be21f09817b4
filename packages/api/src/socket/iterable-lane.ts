import { isTrackedEnvelope } from "@trpc/server";
import { isAbortError } from "./call.ts";
import type { Lane, Outlet, Waiter } from "./lane.ts";

/** Any other async iterable, taken value by value, and only while the socket keeps up. */
export class IterableLane implements Lane, Waiter {
  readonly #outlet: Outlet;
  readonly #iterable: AsyncIterable<unknown>;
  #iterator: AsyncIterator<unknown> | undefined;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(outlet: Outlet, iterable: AsyncIterable<unknown>) {
    this.#outlet = outlet;
    this.#iterable = iterable;
  }

  start(): void {
    void this.#run();
  }

  resume(): void {
    this.#wake?.();
  }

  /** The client hears of the end when the iterator has cleaned up: only then may it use the id again. */
  stop(): void {
    this.#isStopped = true;
    this.resume();
    void this.#dispose().then(() => this.#outlet.finish());
  }

  position(): null {
    return null;
  }

  async #run(): Promise<void> {
    try {
      const iterator = this.#iterable[Symbol.asyncIterator]();
      this.#iterator = iterator;
      for (;;) {
        const next = await iterator.next();
        if (this.#isStopped) return;
        if (next.done) break;
        this.#deliver(next.value);
        if (this.#outlet.host.isFull) await this.#drained();
        if (this.#isStopped) return;
      }
      this.#outlet.finish();
    } catch (cause) {
      await this.#fail(cause);
    }
  }

  #deliver(value: unknown): void {
    const { bodies } = this.#outlet.host;
    this.#outlet.deliver(isTrackedEnvelope(value) ? bodies.tracked(value[0], value[1]) : bodies.data(value));
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#outlet.host.wait(this);
    });
  }

  async #fail(cause: unknown): Promise<void> {
    if (this.#isStopped) {
      this.#report(cause);
    } else {
      this.#isStopped = true;
      await this.#dispose();
      this.#outlet.fail(cause);
    }
  }

  /** Also where nothing was taken yet: the iterable may hold something that it has to give back. */
  async #dispose(): Promise<void> {
    try {
      const iterator = this.#iterator ?? this.#iterable[Symbol.asyncIterator]();
      await iterator.return?.();
    } catch (cause) {
      this.#report(cause);
    }
  }

  #report(cause: unknown): void {
    if (!isAbortError(cause)) this.#outlet.host.report(cause, "a subscription failed to clean up");
  }
}
