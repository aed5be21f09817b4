import type { Log } from "@parley/core/ports";
import { answerWithin } from "../within.ts";
import { createBacklog, type Pending, type PendingBatch } from "./backlog.ts";
import { createFlushRoom } from "./flush-room.ts";
import { encodeEvent } from "./log-codec.ts";
import type { LogStore, StoredEntry } from "./log-store.ts";
import type { createNodeMessages } from "./node-messages.ts";
import type { createPlacements, PlacedBatch } from "./placements.ts";

interface Parts {
  store: LogStore;
  log: Log;
  node: string;
  messages: ReturnType<typeof createNodeMessages>;
  placements: ReturnType<typeof createPlacements>;
  /** `head` is null when the numbers have to be read. */
  onNumbered(topic: string, entries: readonly Pending[], head: number | null): void;
  /** The store does not answer: readers here need not wait for it. */
  onLate(topic: string, pending: Pending): void;
  /** Too much waits: these will have no numbers. */
  onLost(topic: string, entries: readonly Pending[]): void;
}

const paceMs = 50;
const lateMs = 1_000;
/** Longer than any store takes for a statement: a write that nobody answers is tried again, and everybody else's with it. */
const lostMs = 15_000;
const firstPauseMs = 100;
const longestPauseMs = 1_000;
/** A moment's work for a store. After a failure much less is tried, and after each success a little more. */
const longestFlush = 1_024 * 1_024;
const shortestFlush = 16 * 1_024;
const flushStep = 32 * 1_024;
const entriesAtOnce = 1_000;
const bounds = { maxEntries: 10_000, maxLength: 32 * 1_024 * 1_024 };

/** What leaves this process: one flush is under way, at once when it was quiet and then at most every 50 ms. */
export function createOutbox({ store, log, node, messages, placements, onNumbered, onLate, onLost }: Parts) {
  const backlog = createBacklog({ ...bounds, onLost });
  let inFlight: ReadonlyMap<string, Pending[]> = new Map();
  let ids = 0;
  let encoded: { event: unknown; text: string } | null = null;
  let isScheduled = false;
  let isBusy = false;
  let isLate = false;
  let failures = 0;
  let flushLength = longestFlush;
  let nextAt = 0;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWoken = false;
  const waiting: (() => void)[] = [];

  const isAway = () => isLate || failures > 0;

  function hand(topic: string, pending: Pending) {
    if (pending.state !== "waiting") return;
    pending.state = "handed";
    onLate(topic, pending);
  }

  function handAll() {
    for (const topics of [inFlight, backlog.waiting()]) {
      for (const [topic, entries] of topics) for (const pending of entries) hand(topic, pending);
    }
  }

  const wakeWaiting = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const nextFlush = () => new Promise<void>((resolve) => waiting.push(resolve));

  function wake() {
    isWoken = isBusy;
    if (isScheduled || isBusy || isClosed) return;
    isScheduled = true;
    const pause = nextAt - performance.now();
    if (pause <= 0) queueMicrotask(run);
    else timer = setTimeout(run, pause);
  }

  function run() {
    flush().catch((error) => log.error({ err: error }, "events could not be written down"));
  }

  function goOnWithout() {
    isLate = true;
    handAll();
    wakeWaiting();
  }

  async function flush() {
    isScheduled = false;
    encoded = null;
    const pending = backlog.take(createFlushRoom({ maxEntries: entriesAtOnce, maxLength: flushLength }));
    const placed = placements.take(createFlushRoom({ maxEntries: entriesAtOnce, maxLength: flushLength }));
    if (pending.byStore.length === 0 && placed.written.length === 0 && messages.isEmpty()) return;
    isBusy = true;
    inFlight = pending.topics;
    nextAt = performance.now() + paceMs;
    // In two steps: after a long turn of the loop, an answer that has come meanwhile is heard first.
    let late = setTimeout(() => {
      late = setTimeout(goOnWithout, lateMs / 2);
    }, lateMs / 2);
    const hasMore = await write(pending, placed);
    clearTimeout(late);
    isLate = false;
    isBusy = false;
    inFlight = new Map();
    wakeWaiting();
    if (hasMore || isWoken || !backlog.isEmpty()) wake();
  }

  /** Answers whether there is more to be written. */
  async function write(pending: PendingBatch, placed: PlacedBatch): Promise<boolean> {
    const message = messages.take(Array.from(pending.topics.keys()), placed.written);
    try {
      const batch = { byStore: pending.byStore, byWriter: placed.byWriter, message };
      const { heads, stands } = await answerWithin(lostMs, store.write(batch));
      if (failures > 0) log.info({ tries: failures }, "the store of events is back");
      failures = 0;
      flushLength = Math.min(flushLength + flushStep, longestFlush);
      backlog.done(pending);
      const isBehind = placements.done(placed, stands);
      for (const { topic, isRepeated } of pending.byStore) {
        onNumbered(topic, pending.topics.get(topic) ?? [], isRepeated ? null : (heads.get(topic) ?? null));
      }
      return isBehind || placed.hasMore;
    } catch (error) {
      if (failures++ === 0) log.warn({ err: error }, "the store of events is away: this node goes on by itself");
      nextAt = performance.now() + Math.min(firstPauseMs * failures, longestPauseMs);
      flushLength = Math.max(flushLength / 4, shortestFlush);
      backlog.putBack(pending);
      placements.putBack(placed);
      handAll();
      return placed.written.length > 0;
    }
  }

  return {
    wake,
    isAway,
    append(topic: string, event: unknown) {
      // One event goes to many people: it is written once.
      const text = encoded && encoded.event === event ? encoded.text : encodeEvent(event);
      encoded = { event, text };
      const pending: Pending = { id: `${node}:${++ids}`, event: text, original: event, state: "waiting", wasTried: false };
      // Before it is added, which may be too much: what is given up is forgotten where it was handed on, too.
      if (isAway()) hand(topic, pending);
      backlog.add(topic, pending);
      wake();
    },
    handedOf: (topic: string) => [...(inFlight.get(topic) ?? []), ...backlog.of(topic)].filter(({ state }) => state === "handed"),
    /** It can be read before the write is answered, which may then seem to have failed. */
    noteRead(topic: string, entries: readonly StoredEntry[]) {
      for (const pending of inFlight.get(topic) ?? []) {
        if (entries.some(({ id }) => id === pending.id)) pending.state = "read";
      }
    },
    /** Waits until what was appended to a topic has its numbers, or the store is found to be away. */
    async settled(topic: string) {
      while (!isAway() && !isClosed && (backlog.has(topic) || inFlight.has(topic))) await nextFlush();
    },
    async close() {
      while (!isAway() && (isBusy || isScheduled)) await nextFlush();
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
