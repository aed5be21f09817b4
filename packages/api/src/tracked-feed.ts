import { type Feed, type Follow, followFeed } from "@parley/core";
import { type TrackedEnvelope, tracked } from "@trpc/server";

export interface TrackedFeed<Event> extends AsyncIterable<TrackedEnvelope<Event>> {
  readonly [followFeed]: Follow<Event>;
}

/** A feed as tRPC wants it. Our socket takes the follow function instead and makes no promise an event. */
export function trackedFeed<Event>(feed: Feed<Event>): TrackedFeed<Event> {
  return {
    [followFeed]: feed[followFeed],
    async *[Symbol.asyncIterator]() {
      for await (const { id, event } of feed) yield tracked(id, event);
    },
  };
}
