import type { LogEntry } from "@parley/core/ports";
import type { Pending } from "./backlog.ts";
import { decodeEvent } from "./log-codec.ts";
import { keptEntries, type StoredEntry, type Stretch, unknownPosition } from "./log-store.ts";
import {
  advance,
  advanceAll,
  createTopic,
  type EndReason,
  end,
  endAll,
  headOf,
  keepLast,
  type Reader,
  type Topic,
} from "./topic.ts";

/** What this process has of a topic that is written or numbered elsewhere: read once for all readers here. */
export interface Mirror extends Topic {
  readonly name: string;
  readonly isNumberedByStore: boolean;
  /** Begun while the store could not say where the topic is: nothing is read, and readers hear what this node knows. */
  readonly isGuessed: boolean;
  /** Readers whose position is not among what was read, and those of them who already were at the last look. */
  waiting: Set<Reader>;
  overdue: ReadonlySet<Reader>;
  /** Own entries that have their numbers, and were not read yet: others' came between. */
  unread: Map<string, Pending>;
  /** Somebody has, or had, this topic. */
  isKnown: boolean;
  /** How many looks nothing was heard of the writer. */
  silentFor: number;
  /** The number of the last entry that there will be. */
  last: number | null;
  isReading: boolean;
  mustRead: boolean;
}

/** A position that the store numbered is taken on trust until it was read; what a writer numbered begins at 1. */
export function createMirror(name: string, isNumberedByStore: boolean, after: number): Mirror {
  return {
    ...createTopic(isNumberedByStore ? after + 1 : 1),
    name,
    isNumberedByStore,
    isGuessed: isNumberedByStore && after === unknownPosition,
    waiting: new Set(),
    overdue: new Set(),
    unread: new Map(),
    isKnown: false,
    silentFor: 0,
    last: null,
    isReading: false,
    mustRead: false,
  };
}

export const isFollowed = ({ readers, waiting }: Mirror) => readers.size > 0 || waiting.size > 0;

const covers = (mirror: Mirror, { next }: Reader) => next >= mirror.first && next <= headOf(mirror) + 1;

export function admit(mirror: Mirror, reader: Reader) {
  if (!covers(mirror, reader)) {
    mirror.waiting.add(reader);
    return;
  }
  mirror.readers.add(reader);
  advance(mirror, reader);
}

export function endEverybody(mirror: Mirror, reason: EndReason) {
  endAll(mirror, reason);
  const waiting = Array.from(mirror.waiting);
  mirror.waiting.clear();
  for (const reader of waiting) end(reader, reason);
}

/** Where to read from: after the last entry, or before the first where a reader waits for that. */
export function nextPosition(mirror: Mirror): number {
  let after = headOf(mirror);
  for (const { next } of mirror.waiting) if (next < mirror.first) after = Math.min(after, next - 1);
  return after;
}

/** Adds what was read after a position, when the mirror's head was `head`. False: the log has lost what should follow. */
export function addRead(mirror: Mirror, { after, head }: { after: number; head: number }, stretch: Stretch): boolean {
  if (mirror.isNumberedByStore && (stretch.head === null || stretch.head < head)) return false;
  prepend(mirror, after, stretch.entries);
  const fresh = stretch.entries.filter(({ seq }) => seq > headOf(mirror));
  const [next] = fresh;
  if (next && mirror.entries.length === 0 && !mirror.isNumberedByStore) mirror.first = next.seq;
  for (const stored of fresh) {
    if (stored.seq !== headOf(mirror) + 1) return false;
    addEntry(mirror, stored.id, asEntry(mirror, stored));
  }
  if (stretch.head !== null && stretch.head > headOf(mirror) && !stretch.isCut) return false;
  mirror.mustRead ||= stretch.isCut;
  mirror.isKnown ||= mirror.entries.length > 0;
  handOn(mirror);
  seat(mirror, after, stretch.head);
  return true;
}

/** An entry may have reached readers here before it had its number: its own id tells. */
export function addEntry(mirror: Mirror, ownId: string, entry: LogEntry<unknown>) {
  mirror.entries.push(entry);
  mirror.unread.delete(ownId);
  const known = mirror.unnumbered?.get(ownId);
  if (!known) return;
  mirror.unnumbered?.delete(ownId);
  mirror.early ??= new Map();
  mirror.early.set(entry.seq, known.readers);
}

/** An entry of this process that the store, being away, has not numbered; those before it go first. */
export function addUnnumbered(mirror: Mirror, pending: Pending) {
  mirror.unnumbered ??= new Map();
  for (const { id, original } of [...mirror.unread.values(), pending]) {
    if (!mirror.unnumbered.has(id)) mirror.unnumbered.set(id, { event: original, readers: new Set() });
  }
  mirror.unread.clear();
}

export function handOn(mirror: Mirror) {
  if (mirror.isNumberedByStore) keepLast(mirror, keptEntries);
  for (const seq of mirror.early?.keys() ?? []) if (seq < mirror.first) mirror.early?.delete(seq);
  if (mirror.last !== null && headOf(mirror) >= mirror.last) mirror.isFinished = true;
  advanceAll(mirror);
}

/** Only without a hole: entries before the first one serve whoever waits for them. */
function prepend(mirror: Mirror, after: number, stored: readonly StoredEntry[]) {
  const older = stored.filter(({ seq }) => seq < mirror.first);
  if (older.length === 0 || older.length !== mirror.first - after - 1) return;
  mirror.entries = [...older.map((entry) => asEntry(mirror, entry)), ...mirror.entries];
  mirror.first = after + 1;
}

function seat(mirror: Mirror, after: number, storeHead: number | null) {
  for (const reader of mirror.waiting) {
    if (covers(mirror, reader)) {
      mirror.waiting.delete(reader);
      admit(mirror, reader);
    } else if (reader.next > mirror.first) {
      // Ahead of what was read: a writer may still put it there.
      if (!mirror.isNumberedByStore || mirror.mustRead) continue;
      if (storeHead !== null && reader.next <= storeHead + 1) mirror.mustRead = true;
      else giveUp(mirror, reader);
    } else if (reader.next > after) giveUp(mirror, reader);
    else mirror.mustRead = true;
  }
}

/** Those who wait since the last look. */
export function giveUpOverdue(mirror: Mirror) {
  for (const reader of mirror.waiting) if (mirror.overdue.has(reader)) giveUp(mirror, reader);
  mirror.overdue = new Set(mirror.waiting);
}

function giveUp(mirror: Mirror, reader: Reader) {
  mirror.waiting.delete(reader);
  end(reader, "gap");
}

function asEntry(mirror: Mirror, { seq, id, event }: StoredEntry): LogEntry<unknown> {
  return { seq, id: mirror.isNumberedByStore ? String(seq) : id, event: decodeEvent(event) };
}
