import type { FlushRoom } from "./flush-room.ts";
import type { NumberedByStore } from "./log-store.ts";

/** An event that has no number yet. */
export interface Pending {
  id: string;
  event: string;
  /** The event itself, for readers here. */
  original: unknown;
  /** Readers here have it without a number, because the store is away, or with one, although the write was not answered. */
  state: "waiting" | "handed" | "read";
  /** A write of it was not answered. */
  wasTried: boolean;
}

export interface PendingBatch {
  topics: Map<string, Pending[]>;
  byStore: NumberedByStore[];
}

interface Parts {
  maxEntries: number;
  maxLength: number;
  /** What was given up. */
  onLost(topic: string, entries: readonly Pending[]): void;
}

/** What waits for the store, a list a topic. It is bounded: a topic that had to be given up leaves a hole in its numbers. */
export function createBacklog({ maxEntries, maxLength, onLost }: Parts) {
  let topics = new Map<string, Pending[]>();
  let holes = new Set<string>();
  let count = 0;
  let length = 0;

  function forget(entries: readonly Pending[]) {
    count -= entries.length;
    for (const { event } of entries) length -= event.length;
  }

  function keepBounds() {
    for (const [topic, entries] of topics) {
      if (count <= maxEntries && length <= maxLength) return;
      topics.delete(topic);
      holes.add(topic);
      forget(entries);
      onLost(topic, entries);
    }
  }

  return {
    add(topic: string, pending: Pending) {
      const entries = topics.get(topic);
      if (entries) entries.push(pending);
      else topics.set(topic, [pending]);
      count++;
      length += pending.event.length;
      keepBounds();
    },
    has: (topic: string) => topics.has(topic),
    of: (topic: string): readonly Pending[] => topics.get(topic) ?? [],
    isEmpty: () => topics.size === 0 && holes.size === 0,
    waiting: () => topics.entries(),

    /** What is left of a topic lets the others go first. */
    take(room: FlushRoom): PendingBatch {
      const taken = new Map<string, Pending[]>();
      for (const topic of holes) taken.set(topic, []);
      for (const [topic, entries] of topics) {
        const end = entries.findIndex(({ event }) => !room.takes(event));
        if (end === 0) break;
        topics.delete(topic);
        taken.set(topic, end === -1 ? entries : entries.slice(0, end));
        if (end === -1) continue;
        topics.set(topic, entries.slice(end));
        break;
      }
      const byStore = Array.from(taken, ([topic, entries]) => ({
        topic,
        entries,
        hasHole: holes.has(topic),
        isRepeated: entries.some(({ wasTried }) => wasTried),
      }));
      holes = new Set();
      return { topics: taken, byStore };
    },
    done({ topics: taken }: PendingBatch) {
      for (const entries of taken.values()) forget(entries);
    },
    /** It may have been written all the same: the next try says so. */
    putBack({ topics: taken, byStore }: PendingBatch) {
      const later = topics;
      topics = new Map();
      for (const [topic, entries] of taken) {
        if (entries.length > 0) topics.set(topic, entries);
        for (const pending of entries) pending.wasTried = true;
      }
      for (const [topic, entries] of later) topics.set(topic, [...(topics.get(topic) ?? []), ...entries]);
      for (const { topic, hasHole } of byStore) if (hasHole) holes.add(topic);
      keepBounds();
    },
  };
}
