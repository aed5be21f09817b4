import { AppError } from "./errors.ts";

export interface FeedEntry<Event> {
  readonly id: string;
  readonly event: Event;
  /** The transport's form of this entry, made by whoever needs it first and shared by all who are handed it at once. */
  serialized?: string | undefined;
}

export interface FeedSink<Event> {
  /**
   * `more`: another entry follows at once. Answering false means full: the feed pauses until `resume`, but what it has
   * already begun to hand over may still come.
   */
  entry(entry: FeedEntry<Event>, more: boolean): boolean;
  /** Called once, after the last entry; with an error when the feed could not be finished. */
  end(error?: AppError): void;
}

export interface Following {
  resume(): void;
  stop(): void;
  /** Whoever follows after this id later misses nothing of what was handed over; null while that cannot be said, or never is. */
  position?(): string | null;
}

export type Follow<Event> = (sink: FeedSink<Event>) => Following;

export const followFeed = Symbol("parley.followFeed");

/** Events in order with their ids: to iterate over, or to have handed to a sink without a promise in between. */
export interface Feed<Event> extends AsyncIterable<FeedEntry<Event>> {
  readonly [followFeed]: Follow<Event>;
}

/** An iterator is full when `room` entries wait for it: with one, it has a position in the feed and not a queue. */
export function createFeed<Event>(follow: Follow<Event>, signal: AbortSignal | undefined, room = 1): Feed<Event> {
  return { [followFeed]: follow, [Symbol.asyncIterator]: () => iterate(follow, signal, room) };
}

async function* iterate<Event>(
  follow: Follow<Event>,
  signal: AbortSignal | undefined,
  room: number,
): AsyncGenerator<FeedEntry<Event>, void> {
  const taken: FeedEntry<Event>[] = [];
  let ended: { error: AppError | undefined } | undefined;
  let wake = () => {};
  const following = follow({
    entry(entry) {
      taken.push(entry);
      wake();
      return taken.length < room;
    },
    end(error) {
      ended = { error };
      wake();
    },
  });
  const onAbort = () => wake();
  signal?.addEventListener("abort", onAbort);
  try {
    while (!signal?.aborted) {
      const entry = taken.shift();
      if (entry) {
        yield entry;
        if (taken.length === 0 && !ended) following.resume();
      } else if (ended) {
        if (ended.error) throw ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    following.stop();
  }
}

/** How a feed ends when the log that it reads shuts down. */
export const logClosed = () => new AppError("unavailable", "The server is closing: connect again");
