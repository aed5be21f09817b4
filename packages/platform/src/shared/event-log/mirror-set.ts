import type { EventLog, Log } from "@parley/core/ports";
import type { Pending } from "./backlog.ts";
import { decodeEvent } from "./log-codec.ts";
import { readLimit, type StoredEntry, type Stretch } from "./log-store.ts";
import {
  addEntry,
  addRead,
  addUnnumbered,
  admit,
  createMirror,
  endEverybody,
  giveUpOverdue,
  handOn,
  isFollowed,
  type Mirror,
  nextPosition,
} from "./mirror.ts";
import { advanceAll, createReader, type EndReason, headOf, pass, resume } from "./topic.ts";

interface Parts {
  log: Log;
  read(topic: string, after: number): Promise<Stretch>;
  /** Where a topic is that the store numbers; null while the store is away. */
  findHead(topic: string): Promise<number | null>;
  isAway(): boolean;
  /** Asks whoever writes the topic to put it into the store. */
  want(topic: string): void;
  isNumberedByStore(topic: string): boolean;
  /** Own entries that wait for their numbers, and are handed on without. */
  handedOf(topic: string): Iterable<Pending>;
  noteRead(topic: string, entries: readonly StoredEntry[]): void;
  /** How long a reader waits for somebody to know the topic. */
  patienceMs: number;
}

/** For how many looks a writer may be silent. */
const silentLooks = 3;
const maxUnnumbered = 10_000;

const lastOf = ({ entries }: Stretch) => entries.at(-1)?.seq ?? Number.POSITIVE_INFINITY;

/** Topics that are followed here, and written or numbered elsewhere. */
export function createMirrorSet(parts: Parts) {
  const { log, read, findHead, isAway, want, isNumberedByStore, handedOf, noteRead, patienceMs } = parts;
  const mirrors = new Map<string, Mirror>();
  let isJudging = false;

  function open(name: string, after: number): Mirror {
    const mirror = createMirror(name, isNumberedByStore(name), after);
    mirrors.set(name, mirror);
    for (const pending of handedOf(name)) addUnnumbered(mirror, pending);
    if (!mirror.isNumberedByStore) {
      want(name);
      setTimeout(() => {
        if (!mirror.isKnown) drop(mirror, "gap");
      }, patienceMs);
    }
    return mirror;
  }

  const isOpen = (mirror: Mirror) => mirrors.get(mirror.name) === mirror;

  function drop(mirror: Mirror, reason: EndReason) {
    if (isOpen(mirror)) mirrors.delete(mirror.name);
    endEverybody(mirror, reason);
  }

  /** Large entries come in pieces: those before a mirror's first are of use to it only without a hole. */
  async function readFrom(mirror: Mirror, after: number): Promise<Stretch> {
    let stretch = await read(mirror.name, after);
    for (let last = lastOf(stretch); stretch.isCut && last < mirror.first - 1; last = lastOf(stretch)) {
      if (stretch.entries.length >= readLimit) break;
      const { head, entries, isCut } = await read(mirror.name, last);
      stretch = { head, entries: [...stretch.entries, ...entries], isCut };
    }
    return stretch;
  }

  /** One read at a time: what is asked for meanwhile makes another. */
  async function catchUp(mirror: Mirror) {
    if (mirror.isGuessed) return;
    mirror.mustRead = true;
    if (mirror.isReading) return;
    mirror.isReading = true;
    try {
      while (mirror.mustRead && isOpen(mirror)) {
        mirror.mustRead = false;
        const asked = { after: nextPosition(mirror), head: headOf(mirror) };
        const stretch = await readFrom(mirror, asked.after);
        if (mirror.isNumberedByStore) noteRead(mirror.name, stretch.entries);
        if (isOpen(mirror) && !addRead(mirror, asked, stretch)) drop(mirror, "gap");
      }
    } catch (error) {
      log.debug({ err: error, topic: mirror.name }, "the store of events could not be read: the next look tries again");
    } finally {
      mirror.isReading = false;
    }
  }

  function lookAtWriter(mirror: Mirror) {
    if (mirror.isFinished) return;
    giveUpOverdue(mirror);
    if (++mirror.silentFor > silentLooks) return drop(mirror, "gap");
    want(mirror.name);
    void catchUp(mirror);
  }

  /** One after the other: a store that is away is asked once for all of them. */
  async function judgeGuesses() {
    if (isJudging) return;
    isJudging = true;
    try {
      for (const mirror of Array.from(mirrors.values())) {
        if (!mirror.isGuessed) continue;
        if ((await findHead(mirror.name)) === null) return;
        drop(mirror, "gap");
      }
    } finally {
      isJudging = false;
    }
  }

  function lookAtNumbered(mirror: Mirror, mustRead: boolean) {
    // Nobody waits for a store that is away: from this mirror's own head, a reader hears what this node knows.
    if (mirror.isGuessed || isAway()) giveUpOverdue(mirror);
    if (mustRead) void catchUp(mirror);
  }

  return {
    isEmpty: () => mirrors.size === 0,
    headOf(name: string): number | null {
      const mirror = mirrors.get(name);
      return mirror ? headOf(mirror) : null;
    },
    follow: ((name, after, sink) => {
      const known = mirrors.get(name);
      const mirror = known ?? open(name, after);
      const isStale = !isFollowed(mirror);
      const reader = createReader(after, sink);
      admit(mirror, reader);
      if (isStale || mirror.waiting.has(reader)) void catchUp(mirror);
      return {
        resume: () => resume(mirror, reader),
        stop() {
          mirror.readers.delete(reader);
          mirror.waiting.delete(reader);
        },
      };
    }) satisfies EventLog["follow"],
    /** Own entries that the store has numbered up to `head`; null when the numbers have to be read. */
    numbered(name: string, entries: readonly Pending[], head: number | null) {
      const mirror = mirrors.get(name);
      if (!mirror || !isFollowed(mirror)) return;
      // A repetition: readers here have had them all.
      if (head === null) return void catchUp(mirror);
      const first = head - entries.length + 1;
      if (first !== headOf(mirror) + 1) {
        for (const pending of entries.slice(Math.max(0, headOf(mirror) + 1 - first))) mirror.unread.set(pending.id, pending);
        if (mirror.unread.size > maxUnnumbered) drop(mirror, "gap");
        else if (head > headOf(mirror)) void catchUp(mirror);
        return;
      }
      for (const [index, { id, original: event }] of entries.entries()) {
        addEntry(mirror, id, { seq: first + index, id: String(first + index), event });
      }
      handOn(mirror);
    },
    /** To readers here, before the store has numbered it. */
    handEarly(name: string, pending: Pending) {
      const mirror = mirrors.get(name);
      if (!mirror) return;
      addUnnumbered(mirror, pending);
      if ((mirror.unnumbered?.size ?? 0) > maxUnnumbered) drop(mirror, "gap");
      else advanceAll(mirror);
    },
    /** Their numbers will never come: readers are told of a gap once the store is back. */
    forgetEarly(name: string, entries: readonly Pending[]) {
      const mirror = mirrors.get(name);
      for (const { id } of entries) mirror?.unnumbered?.delete(id);
    },
    pass(name: string, event: unknown) {
      const mirror = mirrors.get(name);
      if (mirror) pass(mirror, event);
    },
    passText(name: string, text: string) {
      const mirror = mirrors.get(name);
      if (mirror) pass(mirror, decodeEvent(text));
    },
    /** Something new was numbered. */
    ring(name: string) {
      const mirror = mirrors.get(name);
      if (mirror && isFollowed(mirror)) void catchUp(mirror);
    },
    /** What the writer of a topic says of it. */
    hear([name, head, isFinished]: readonly [topic: string, head: number, isFinished: boolean]) {
      const mirror = mirrors.get(name);
      if (!mirror || mirror.isNumberedByStore) return;
      mirror.isKnown = true;
      mirror.silentFor = 0;
      if (isFinished) mirror.last = head;
      if (head > headOf(mirror)) void catchUp(mirror);
      else handOn(mirror);
    },
    /** Once a second. What the store numbers is looked at when its bell may have been missed. */
    look(includingNumbered: boolean) {
      for (const mirror of mirrors.values()) {
        if (!isFollowed(mirror)) mirrors.delete(mirror.name);
        else if (!mirror.isNumberedByStore) lookAtWriter(mirror);
        else lookAtNumbered(mirror, includingNumbered);
      }
      void judgeGuesses();
    },
    close() {
      for (const mirror of Array.from(mirrors.values())) drop(mirror, "closed");
    },
  };
}
