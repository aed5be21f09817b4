import type { Clock, EventLog, LogEntry, LogSink } from "@parley/core/ports";

interface Options {
  /** How long a finished topic stays for late followers. */
  keepFinishedMs?: number;
  /** How many entries a topic that the log numbers keeps … */
  maxEntries?: number;
  /** … and for how long after the last of them, when nobody reads it. */
  keepUnreadMs?: number;
}

interface Topic {
  entries: LogEntry<unknown>[];
  /** The sequence number of the first entry that is kept, or of the next when there is none. */
  first: number;
  readers: Set<Reader>;
  numberedByLog: boolean;
  appendedAt: number;
  finishedAt: number | null;
}

interface Reader {
  sink: LogSink<unknown>;
  /** The next sequence number to hand over. */
  next: number;
  paused: boolean;
}

/** One process's log. Readers hold positions in one shared list; nothing is copied for them. */
export function memoryEventLog(
  clock: Clock,
  { keepFinishedMs = 60_000, maxEntries = 256, keepUnreadMs = 300_000 }: Options = {},
) {
  const topics = new Map<string, Topic>();
  /** Numbers from an earlier process are smaller: they are seen to be a gap. */
  let base = clock.now().getTime() * 1_000;
  let closed = false;

  function open(name: string, first: number, numberedByLog: boolean): Topic {
    const topic: Topic = {
      entries: [],
      first,
      readers: new Set(),
      numberedByLog,
      appendedAt: clock.now().getTime(),
      finishedAt: null,
    };
    topics.set(name, topic);
    return topic;
  }

  const headOf = (topic: Topic) => topic.first + topic.entries.length - 1;

  /** Hands over what a reader has not had, until it is full or has everything. */
  function advance(topic: Topic, reader: Reader) {
    while (!reader.paused && topic.readers.has(reader)) {
      if (reader.next < topic.first) return leave(topic, reader, "gap");
      const entry = topic.entries[reader.next - topic.first];
      if (!entry) {
        if (topic.finishedAt !== null) leave(topic, reader, "finished");
        return;
      }
      reader.next++;
      try {
        if (!reader.sink.entry(entry, reader.next <= headOf(topic))) reader.paused = true;
      } catch {
        // One reader's fault is not the writer's, nor the other readers'.
        return leave(topic, reader, "closed");
      }
    }
  }

  function leave(topic: Topic, reader: Reader, reason: Parameters<LogSink<unknown>["end"]>[0]) {
    topic.readers.delete(reader);
    reader.sink.end(reason);
  }

  const log: EventLog & { sweep(): void; close(): void } = {
    append(name, event, at) {
      if (closed) return;
      const topic = topics.get(name) ?? open(name, at ? at.seq : base + 1, !at);
      const seq = at?.seq ?? headOf(topic) + 1;
      if (seq !== headOf(topic) + 1) throw new Error(`Topic ${name} is at ${headOf(topic)}: ${seq} cannot follow`);
      if (topic.numberedByLog) topic.appendedAt = clock.now().getTime();
      topic.entries.push({ seq, id: at?.id ?? String(seq), event });
      if (topic.numberedByLog && topic.entries.length > maxEntries * 2) {
        topic.first += topic.entries.length - maxEntries;
        topic.entries = topic.entries.slice(-maxEntries);
      }
      for (const reader of topic.readers) advance(topic, reader);
    },

    follow(name, after, sink) {
      const known = topics.get(name);
      if (closed || after > (known ? headOf(known) : base) || (!known && after < base)) {
        sink.end(closed ? "closed" : "gap");
        return { resume() {}, stop() {} };
      }
      const topic = known ?? open(name, base + 1, true);
      // The list holds entries of all kinds; a topic's name says which kind its own are.
      const reader: Reader = { sink: sink as LogSink<unknown>, next: after + 1, paused: false };
      topic.readers.add(reader);
      advance(topic, reader);
      return {
        resume() {
          if (!reader.paused) return;
          reader.paused = false;
          advance(topic, reader);
        },
        stop() {
          topic.readers.delete(reader);
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
      topic.finishedAt = clock.now().getTime();
      for (const reader of topic.readers) advance(topic, reader);
    },

    sweep() {
      const now = clock.now().getTime();
      for (const [name, topic] of topics) {
        if (topic.readers.size > 0) continue;
        const isOver = topic.finishedAt !== null && topic.finishedAt <= now - keepFinishedMs;
        const isForgotten = topic.numberedByLog && topic.appendedAt <= now - keepUnreadMs;
        if (!isOver && !isForgotten) continue;
        // A number is never given twice: what begins anew begins after all that were.
        if (topic.numberedByLog) base = Math.max(base, headOf(topic));
        topics.delete(name);
      }
    },

    close() {
      closed = true;
      for (const topic of topics.values()) {
        const readers = Array.from(topic.readers);
        topic.readers.clear();
        for (const reader of readers) reader.sink.end("closed");
      }
    },
  };
  return log;
}
