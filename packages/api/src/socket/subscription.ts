import { type Follow, followFeed } from "@parley/core";
import { TRPCError } from "@trpc/server";
import { type Call, isAbortError, isAsyncIterable } from "./call.ts";
import { FeedLane } from "./feed-lane.ts";
import { started, stopped } from "./frames.ts";
import { IterableLane } from "./iterable-lane.ts";
import type { Host, Lane, Outlet } from "./lane.ts";
import type { RestingSubscription } from "./socket.ts";

// Without a reason of its own, each abort would build an error with its stack.
const stopReason = new DOMException("The subscription was stopped", "AbortError");

export class Subscription implements Outlet {
  readonly host: Host;
  isOver = false;
  readonly #call: Call;
  readonly #controller = new AbortController();
  readonly #openedAt = performance.now();
  #lane: Lane | undefined;

  constructor(call: Call, host: Host) {
    this.#call = call;
    this.host = host;
  }

  async run(): Promise<void> {
    const { signal } = this.#controller;
    const { host } = this;
    const call = this.#call;
    let output: unknown;
    try {
      await host.prepare(call);
      signal.throwIfAborted();
      output = await host.invoke(call, signal);
      if (!isAsyncIterable(output)) {
        throw new TRPCError({
          code: "INTERNAL_SERVER_ERROR",
          message: `Subscription ${call.path} did not return an async iterable`,
        });
      }
    } catch (cause) {
      this.#giveUp(cause);
      return;
    }
    // A subscription lives long, and its input may be large.
    call.input = undefined;
    this.#start(output);
  }

  /** By the client, or by the end of its socket. */
  stop(): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(stopReason);
    this.#lane?.stop();
  }

  resting(): RestingSubscription | null {
    const lastEventId = this.#lane?.position() ?? null;
    const { id, head, path } = this.#call;
    return lastEventId === null ? null : { id, head, path, lastEventId };
  }

  deliver(body: string): void {
    this.host.deliver(this.#call.head + body);
  }

  fail(cause: unknown): void {
    if (this.isOver) return;
    this.#controller.abort(stopReason);
    this.host.fail(this.#call, cause);
    this.finish();
  }

  /** Frees the id, then says so. */
  finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.host.forget(this.#call.id);
    this.host.ended(this.#call, performance.now() - this.#openedAt);
    this.deliver(stopped);
  }

  /** Before it has started. */
  #giveUp(cause: unknown): void {
    if (this.#controller.signal.aborted && isAbortError(cause)) {
      this.finish();
    } else {
      this.isOver = true;
      this.host.forget(this.#call.id);
      this.host.fail(this.#call, cause);
    }
  }

  #start(output: AsyncIterable<unknown>): void {
    const lane = isFeed(output) ? new FeedLane(this, output[followFeed]) : new IterableLane(this, output);
    if (this.#controller.signal.aborted) {
      lane.stop();
    } else {
      this.#lane = lane;
      if (!this.#call.isResumed) this.deliver(started);
      lane.start();
    }
  }
}

function isFeed(output: object): output is { readonly [followFeed]: Follow<unknown> } {
  return followFeed in output;
}
