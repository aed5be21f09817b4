import type { Clock, EventLog, LogEntry } from "@parley/core/ports";
import { advanceAll, createReader, createTopic, endAll, followFrom, headOf, keepLast, pass, type Topic } from "./topic.ts";

interface Options {
  /** How long a finished topic stays for late followers. */
  keepFinishedMs?: number;
  /** How many entries a topic that the log numbers keeps … */
  maxEntries?: number;
  /** … and for how long after the last of them, when nobody reads it. */
  keepUnreadMs?: number;
}

interface MemoryTopic extends Topic {
  numberedByLog: boolean;
  appendedAt: number;
  finishedAt: number;
}

export type MemoryEventLog = ReturnType<typeof memoryEventLog>;

/** One process's log. */
export function memoryEventLog(
  clock: Clock,
  { keepFinishedMs = 60_000, maxEntries = 256, keepUnreadMs = 300_000 }: Options = {},
) {
  const topics = new Map<string, MemoryTopic>();
  /** Numbers from an earlier process are smaller: they are seen to be a gap. */
  let base = clock.now().getTime() * 1_000;
  let closed = false;

  function open(name: string, first: number, numberedByLog: boolean): MemoryTopic {
    const topic = { ...createTopic(first), numberedByLog, appendedAt: clock.now().getTime(), finishedAt: 0 };
    topics.set(name, topic);
    return topic;
  }

  const log: EventLog & {
    has(topic: string): boolean;
    /** What is kept of a topic after a number, and whether it is all that will ever come. */
    after(topic: string, seq: number): { entries: readonly LogEntry<unknown>[]; isFinished: boolean };
    sweep(): void;
    close(): void;
  } = {
    append(name, event, at) {
      if (closed) return;
      const topic = topics.get(name) ?? open(name, at ? at.seq : base + 1, !at);
      const seq = at?.seq ?? headOf(topic) + 1;
      if (seq !== headOf(topic) + 1) throw new Error(`Topic ${name} is at ${headOf(topic)}: ${seq} cannot follow`);
      topic.entries.push({ seq, id: at?.id ?? String(seq), event });
      if (topic.numberedByLog) {
        topic.appendedAt = clock.now().getTime();
        keepLast(topic, maxEntries);
      }
      advanceAll(topic);
    },

    broadcast(name, event) {
      const topic = topics.get(name);
      if (topic && !closed) pass(topic, event);
    },

    follow(name, after, sink) {
      const known = topics.get(name);
      if (closed || after > (known ? headOf(known) : base) || (!known && after < base)) {
        sink.end(closed ? "closed" : "gap");
        return { resume() {}, stop() {} };
      }
      const topic = known ?? open(name, base + 1, true);
      const { resume, stop } = followFrom(topic, createReader(after, sink));
      return {
        resume,
        stop() {
          stop();
          if (topic.readers.size === 0 && topic.entries.length === 0 && topics.get(name) === topic) topics.delete(name);
        },
      };
    },

    async head(name) {
      const topic = topics.get(name);
      return topic ? headOf(topic) : base;
    },

    finish(name) {
      const topic = topics.get(name);
      if (!topic) return;
      topic.isFinished = true;
      topic.finishedAt = clock.now().getTime();
      advanceAll(topic);
    },

    async ping() {},

    has: (name) => topics.has(name),

    after(name, seq) {
      const topic = topics.get(name);
      if (!topic) return { entries: [], isFinished: false };
      return { entries: topic.entries.slice(Math.max(0, seq + 1 - topic.first)), isFinished: topic.isFinished };
    },

    sweep() {
      const now = clock.now().getTime();
      for (const [name, topic] of topics) {
        if (topic.readers.size > 0) continue;
        const isOver = topic.isFinished && topic.finishedAt <= now - keepFinishedMs;
        const isForgotten = topic.numberedByLog && topic.appendedAt <= now - keepUnreadMs;
        if (!isOver && !isForgotten) continue;
        // A number is never given twice: what begins anew begins after all that were.
        if (topic.numberedByLog) base = Math.max(base, headOf(topic));
        topics.delete(name);
      }
    },

    close() {
      closed = true;
      for (const topic of topics.values()) endAll(topic, "closed");
    },
  };
  return log;
}
