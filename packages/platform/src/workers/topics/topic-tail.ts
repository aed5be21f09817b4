import type { EventLog } from "@parley/core/ports";
import { decodeEvent } from "../../shared/event-log/log-codec.ts";
import {
  advanceAll,
  createReader,
  createTopic,
  type EndReason,
  endAll,
  followFrom,
  headOf,
  keepLast,
  pass,
  type Topic,
} from "../../shared/event-log/topic.ts";
import type { Remote } from "../runtime/types.ts";
import type { TopicAnswer, TopicMethods } from "./topic-protocol.ts";

interface Options {
  /** What passed before is not for its readers. */
  since: number;
  stub(): Remote<TopicMethods>;
  hasOneWriter: boolean;
  /** What passed in this process before there was this tail. */
  wasSaidBefore(id: string): boolean;
  /** The last reader has left, or everything was handed over. */
  onEnd(): void;
}

const waitMs = 5_000;
const retryMs = 300;
/** A topic that numbers itself keeps no more for readers who are behind. */
const mostBehind = 512;

export type TopicTail = ReturnType<typeof createTail>;

/** One stretch of a topic, read once for all who follow it here. */
export function createTail(after: number, { since, stub, hasOneWriter, wasSaidBefore, onEnd }: Options) {
  const topic: Topic = createTopic(after + 1);
  const passedHere = new Set<string>();
  let passed: number | null = null;
  let isReading = false;
  let isOver = false;
  let wakeAfterPause = () => {};

  const isFollowed = () => !isOver && topic.readers.size > 0;
  const hasRoom = () => Array.from(topic.readers).some(({ paused }) => !paused);

  async function read() {
    if (isReading) return;
    isReading = true;
    try {
      while (isFollowed()) {
        if (!hasRoom()) {
          await new Promise<void>((resolve) => {
            wakeAfterPause = resolve;
          });
          continue;
        }
        const answer = await stub()
          .poll({ after: headOf(topic), passed, since, waitMs })
          .catch(() => null);
        if (!isFollowed()) break;
        if (answer) take(answer);
        else await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    } finally {
      isReading = false;
      if (!isFollowed()) end("finished");
    }
  }

  function take(answer: TopicAnswer) {
    if (answer.isGap) return end("gap");
    passed = answer.passed;
    for (const { seq, id, event } of answer.entries) {
      topic.entries.push({ seq, id: hasOneWriter ? id : String(seq), event: decodeEvent(event) });
    }
    advanceAll(topic);
    trim();
    for (const { id, event } of answer.passing) {
      if (!passedHere.delete(id) && !wasSaidBefore(id)) pass(topic, decodeEvent(event));
    }
    if (!answer.isOver) return;
    topic.isFinished = true;
    advanceAll(topic);
  }

  /** What everybody has had is kept by the topic's object. */
  function trim() {
    const nexts = Array.from(topic.readers, ({ next }) => next);
    const had = Math.min(headOf(topic) + 1, ...nexts) - topic.first;
    if (had > 0) {
      topic.entries = topic.entries.slice(had);
      topic.first += had;
    }
    if (!hasOneWriter) keepLast(topic, mostBehind);
  }

  function end(reason: EndReason) {
    if (isOver) return;
    isOver = true;
    onEnd();
    endAll(topic, reason);
    wakeAfterPause();
  }

  return {
    covers: (position: number) => !isOver && position >= topic.first - 1 && position <= headOf(topic),
    follow(position: number, sink: Parameters<EventLog["follow"]>[2]): ReturnType<EventLog["follow"]> {
      const following = followFrom(topic, createReader(position, sink));
      void read();
      return {
        resume() {
          following.resume();
          wakeAfterPause();
        },
        stop() {
          following.stop();
          if (topic.readers.size === 0) end("finished");
        },
      };
    },
    /** From this process: told at once, and not again when it comes back. */
    pass(id: string, event: unknown) {
      passedHere.add(id);
      pass(topic, event);
    },
    close: () => end("closed"),
    place: () => ({ after: headOf(topic), passed }),
  };
}
