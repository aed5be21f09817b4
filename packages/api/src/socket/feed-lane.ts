import type { FeedEntry, FeedSink, Follow, Following } from "@parley/core";
import type { Lane, Outlet, Waiter } from "./lane.ts";

/**
 * The fast lane: a feed hands its entries over without a promise in between, and each is serialised once for all who
 * follow it. A follower of a full socket has a position in the feed, and holds only what was already on its way.
 */
export class FeedLane implements Lane, FeedSink<unknown>, Waiter {
  readonly #outlet: Outlet;
  readonly #follow: Follow<unknown>;
  #following: Following | undefined;
  #held: FeedEntry<unknown>[] | undefined;
  #ending: { readonly error: unknown } | undefined;

  constructor(outlet: Outlet, follow: Follow<unknown>) {
    this.#outlet = outlet;
    this.#follow = follow;
  }

  start(): void {
    try {
      const following = this.#follow(this);
      if (this.#outlet.isOver) following.stop();
      else this.#following = following;
    } catch (cause) {
      this.#end(cause);
    }
  }

  entry(entry: FeedEntry<unknown>): boolean {
    const outlet = this.#outlet;
    if (outlet.isOver) return false;
    if (this.#held || outlet.host.isFull) {
      if (this.#held) this.#held.push(entry);
      else {
        this.#held = [entry];
        outlet.host.wait(this);
      }
      return false;
    }
    // Whoever hands the entry over has other followers: nothing may be thrown at it.
    try {
      entry.serialized ??= outlet.host.bodies.tracked(entry.id, entry.event);
    } catch (cause) {
      this.#end(cause);
      return false;
    }
    outlet.deliver(entry.serialized);
    return !outlet.isOver;
  }

  resume(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    // What does not fit is held again, in order.
    for (const entry of held) this.entry(entry);
    if (this.#isHolding()) return;
    try {
      if (this.#ending) this.#end(this.#ending.error);
      else this.#following?.resume();
    } catch (cause) {
      this.#end(cause);
    }
  }

  #isHolding(): boolean {
    return this.#held !== undefined;
  }

  end(error?: unknown): void {
    if (this.#held) this.#ending = { error };
    else this.#end(error);
  }

  stop(): void {
    this.#end(undefined);
  }

  position(): string | null {
    return this.#held ? null : (this.#following?.position?.() ?? null);
  }

  #end(error: unknown): void {
    if (this.#outlet.isOver) return;
    this.#held = undefined;
    this.#following?.stop();
    if (error === undefined) this.#outlet.finish();
    else this.#outlet.fail(error);
  }
}
