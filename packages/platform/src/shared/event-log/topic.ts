import type { EventLog, LogEntry, LogSink } from "@parley/core/ports";

export type Following = ReturnType<EventLog["follow"]>;
export type EndReason = Parameters<LogSink<unknown>["end"]>[0];

/** A list of entries without holes, and who reads it. Readers hold positions: nothing is copied for them. */
export interface Topic {
  entries: LogEntry<unknown>[];
  /** The sequence number of the first entry that is kept, or of the next when there is none. */
  first: number;
  readers: Set<Reader>;
  isFinished: boolean;
  /** What waits for its number and is handed on without it, by an id of its own; null while nothing does. */
  unnumbered: Map<string, Early> | null;
  /** Who has had an entry before it got its number; null while nobody has. */
  early: Map<number, ReadonlySet<Reader>> | null;
}

interface Early {
  readonly event: unknown;
  readonly readers: Set<Reader>;
}

export interface Reader {
  sink: LogSink<unknown>;
  /** The next sequence number to hand over. */
  next: number;
  paused: boolean;
}

export function createTopic(first: number): Topic {
  return { entries: [], first, readers: new Set(), isFinished: false, unnumbered: null, early: null };
}

/** The list holds entries of all kinds; a topic's name says which kind its own are. */
export function createReader<Event>(after: number, sink: LogSink<Event>): Reader {
  return { sink: sink as LogSink<unknown>, next: after + 1, paused: false };
}

export const headOf = (topic: Topic) => topic.first + topic.entries.length - 1;

/** Hands over what a reader has not had, until it is full or has everything. */
export function advance(topic: Topic, reader: Reader) {
  while (!reader.paused && topic.readers.has(reader)) {
    if (reader.next < topic.first) return leave(topic, reader, "gap");
    if (topic.early) skipEarly(topic, topic.early, reader);
    const entry = topic.entries[reader.next - topic.first];
    if (!entry) {
      if (topic.unnumbered) handUnnumbered(topic, topic.unnumbered, reader);
      if (topic.isFinished) leave(topic, reader, "finished");
      return;
    }
    reader.next++;
    if (topic.early) skipEarly(topic, topic.early, reader);
    offer(topic, reader, { entry, more: reader.next <= headOf(topic) });
  }
}

function skipEarly(topic: Topic, early: ReadonlyMap<number, ReadonlySet<Reader>>, reader: Reader) {
  while (reader.next <= headOf(topic) && early.get(reader.next)?.has(reader)) reader.next++;
}

/** In order, also for a reader who was full or has only come: what was numbered first, then this. */
function handUnnumbered(topic: Topic, unnumbered: ReadonlyMap<string, Early>, reader: Reader) {
  for (const { event, readers } of unnumbered.values()) {
    if (reader.paused || !topic.readers.has(reader)) return;
    if (readers.has(reader)) continue;
    readers.add(reader);
    offerUnnumbered(topic, reader, event);
  }
}

/** With the id of the last entry that this reader has had. */
function offerUnnumbered(topic: Topic, reader: Reader, event: unknown) {
  const seq = reader.next - 1;
  offer(topic, reader, { entry: { seq, id: String(seq), event }, more: false });
}

function offer(topic: Topic, reader: Reader, { entry, more }: { entry: LogEntry<unknown>; more: boolean }) {
  try {
    if (!reader.sink.entry(entry, more)) reader.paused = true;
  } catch {
    // One reader's fault is not the writer's, nor the other readers'.
    leave(topic, reader, "closed");
  }
}

function leave(topic: Topic, reader: Reader, reason: EndReason) {
  topic.readers.delete(reader);
  end(reader, reason);
}

export function end(reader: Reader, reason: EndReason) {
  try {
    reader.sink.end(reason);
  } catch {
    // It has left already.
  }
}

export function advanceAll(topic: Topic) {
  for (const reader of topic.readers) advance(topic, reader);
  // Who comes later gets merged entries anyway: kept, this would be most of what a topic holds.
  const newest = topic.entries.at(-1);
  if (newest?.serialized !== undefined) newest.serialized = undefined;
}

/** To the readers who have everything: one who is behind is told what passes too late to be true. */
export function pass(topic: Topic, event: unknown) {
  for (const reader of topic.readers) {
    if (!reader.paused && reader.next > headOf(topic)) offerUnnumbered(topic, reader, event);
  }
}

export function followFrom(topic: Topic, reader: Reader): Following {
  topic.readers.add(reader);
  advance(topic, reader);
  return {
    resume: () => resume(topic, reader),
    stop() {
      topic.readers.delete(reader);
    },
  };
}

export function resume(topic: Topic, reader: Reader) {
  if (!reader.paused) return;
  reader.paused = false;
  advance(topic, reader);
}

export function keepLast(topic: Topic, count: number) {
  if (topic.entries.length <= count * 2) return;
  topic.first += topic.entries.length - count;
  topic.entries = topic.entries.slice(-count);
}

export function endAll(topic: Topic, reason: EndReason) {
  const readers = Array.from(topic.readers);
  topic.readers.clear();
  for (const reader of readers) end(reader, reason);
}
