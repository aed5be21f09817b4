import type { FollowLive } from "@parley/contract";
import type { LiveEvent, PassingEvent } from "@parley/contract/events";
import type { Actor } from "../auth/actor.ts";
import { AppError, toAppError } from "../errors.ts";
import { createFeed, type Feed, type FeedSink, type Following, logClosed } from "../feed.ts";
import type { Ports } from "../ports.ts";
import { userTopic } from "../topics.ts";
import type { Streams } from "./streams.ts";

export type Live = ReturnType<typeof createLive>;

/** Passing events are skipped for a full reader, so an iterator takes several before it is full. */
const room = 64;

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** What concerns a person reaches all of that person's devices: one topic a person. */
export function createLive({ eventLog }: Pick<Ports, "eventLog">, { streams }: { streams: Streams }) {
  /**
   * After a gap a follower is told to read everything again, and hears what comes from then on. A log that cannot keep its
   * place is asked less and less often.
   */
  function followLive(topic: string, from: number, sink: FeedSink<LiveEvent>): Following {
    let following: Following | undefined;
    let isOver = false;
    let position: number | null = from;
    let gaps = 0;
    let pause: ReturnType<typeof setTimeout> | undefined;

    function stop() {
      isOver = true;
      clearTimeout(pause);
      following?.stop();
    }

    function listen(after: number) {
      following = eventLog.follow<LiveEvent>(topic, after, {
        entry(entry, more) {
          gaps = 0;
          position = entry.seq;
          return sink.entry(entry, more);
        },
        end(reason) {
          if (isOver) return;
          if (reason !== "gap") return sink.end(logClosed());
          position = null;
          const waitMs = gaps++ === 0 ? 0 : Math.min(firstPauseMs * 2 ** (gaps - 2), longestPauseMs);
          pause = setTimeout(() => void catchUp().catch(fail), waitMs);
        },
      });
      if (isOver) following.stop();
    }

    async function catchUp() {
      const head = await eventLog.head(topic);
      if (isOver) return;
      sink.entry({ id: String(head), event: { type: "resync" } }, false);
      position = head;
      listen(head);
    }

    function fail(error: unknown) {
      if (!isOver) sink.end(toAppError(error) ?? new AppError("unavailable", "Live events cannot be read now", { cause: error }));
    }

    listen(from);
    return { resume: () => following?.resume(), stop, position: () => (position === null ? null : String(position)) };
  }

  /** A session listens until its stream is stopped, ends or is abandoned, whichever comes first. */
  function followCounted(
    { sessionId }: Actor,
    { topic, after, sink, signal }: { topic: string; after: number; sink: FeedSink<LiveEvent>; signal: AbortSignal | undefined },
  ): Following {
    const over = streams.begin(sessionId);
    if (signal?.aborted) over();
    signal?.addEventListener("abort", over, { once: true });
    const following = followLive(topic, after, {
      entry: (entry, more) => sink.entry(entry, more),
      end(error) {
        over();
        sink.end(error);
      },
    });
    return {
      ...following,
      stop() {
        over();
        following.stop();
      },
    };
  }

  return {
    /** Kept for a while, in order: a device that comes back hears of it. */
    tell(userIds: readonly string[], event: LiveEvent) {
      for (const userId of userIds) eventLog.append(userTopic(userId), event);
    },
    /** Heard by the devices that listen now, on whichever node. */
    tellNow(userIds: readonly string[], event: PassingEvent) {
      for (const userId of userIds) eventLog.broadcast(userTopic(userId), event);
    },

    async follow(actor: Actor, { lastEventId }: FollowLive, signal?: AbortSignal): Promise<Feed<LiveEvent>> {
      const topic = userTopic(actor.userId);
      const after = lastEventId == null ? await eventLog.head(topic) : Number(lastEventId);
      if (!Number.isSafeInteger(after) || after < 0) throw new AppError("invalid_input", "This is not the id of a live event");
      return createFeed((sink) => followCounted(actor, { topic, after, sink, signal }), signal, room);
    },
  };
}
