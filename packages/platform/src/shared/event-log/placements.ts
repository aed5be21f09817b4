import type { LogEntry } from "@parley/core/ports";
import type { FlushRoom } from "./flush-room.ts";
import { encodeEvent } from "./log-codec.ts";
import type { NumberedByWriter, StoredEntry, Written } from "./log-store.ts";
import type { MemoryEventLog } from "./memory-event-log.ts";
import type { NodeMessage } from "./node-messages.ts";

interface Placement {
  /** The last entry that the store has; null while nothing is known of it. */
  stored: number | null;
  /** How many more looks somebody elsewhere is taken to follow it. */
  wantedFor: number;
  mustAnswer: boolean;
}

export interface PlacedBatch {
  byWriter: NumberedByWriter[];
  written: NodeMessage["written"];
  hasMore: boolean;
}

const wantedLooks = 5;

/** Topics of which this process is the writer: only what is followed elsewhere goes to the store. */
export function createPlacements(memory: MemoryEventLog) {
  const placed = new Map<string, Placement>();

  function placeOne(topic: string, batch: PlacedBatch, room: FlushRoom) {
    const placement = placed.get(topic);
    if (!placement || placement.wantedFor === 0) return;
    const { entries, isFinished } = memory.after(topic, placement.stored ?? -1);
    if (entries.length === 0 && !placement.mustAnswer) return;
    const taken = takeFitting(entries, room);
    const isAll = taken.length === entries.length;
    if (!isAll) {
      batch.hasMore = true;
      placed.delete(topic);
      placed.set(topic, placement);
      if (taken.length === 0) return;
    }
    placement.mustAnswer = false;
    batch.byWriter.push({ topic, after: placement.stored, entries: taken });
    batch.written.push([topic, taken.at(-1)?.seq ?? placement.stored ?? 0, isFinished && isAll]);
  }

  return {
    isWanted: (topic: string) => placed.size > 0 && (placed.get(topic)?.wantedFor ?? 0) > 0,
    /** Answers whether the topic is written here. */
    want(topic: string): boolean {
      if (!memory.has(topic)) return false;
      const placement = placed.get(topic) ?? { stored: null, wantedFor: 0, mustAnswer: false };
      placement.wantedFor = wantedLooks;
      placement.mustAnswer = true;
      placed.set(topic, placement);
      return true;
    },
    /** Who does not get all of it into the room is the last the next time. */
    take(room: FlushRoom): PlacedBatch {
      const batch: PlacedBatch = { byWriter: [], written: [], hasMore: false };
      for (const topic of Array.from(placed.keys())) placeOne(topic, batch, room);
      return batch;
    },
    /** The store says where it stands: behind, having lost something, or ahead by a write that was not answered. */
    done({ byWriter }: PlacedBatch, stands: Written["stands"]): boolean {
      let isBehind = false;
      for (const { topic, after, entries } of byWriter) {
        const placement = placed.get(topic);
        if (!placement) continue;
        placement.stored = stands.get(topic) ?? null;
        if (placement.stored === (entries.at(-1)?.seq ?? after)) continue;
        placement.mustAnswer = true;
        isBehind = true;
      }
      return isBehind;
    },
    putBack({ byWriter }: PlacedBatch) {
      for (const { topic } of byWriter) {
        const placement = placed.get(topic);
        if (placement) placement.mustAnswer = true;
      }
    },
    /** Answers whether anything is still followed elsewhere. */
    look(): boolean {
      let isFollowed = false;
      for (const placement of placed.values()) {
        if (placement.wantedFor > 0) placement.wantedFor--;
        isFollowed ||= placement.wantedFor > 0;
      }
      return isFollowed;
    },
    /** What memory no longer has, the store need not keep either. */
    takeForgotten(): string[] {
      const forgotten = Array.from(placed.keys()).filter((topic) => !memory.has(topic));
      for (const topic of forgotten) placed.delete(topic);
      return forgotten;
    },
  };
}

function takeFitting(entries: readonly LogEntry<unknown>[], room: FlushRoom): StoredEntry[] {
  const taken: StoredEntry[] = [];
  for (const { seq, id, event } of entries) {
    const text = encodeEvent(event);
    if (!room.takes(text)) break;
    taken.push({ seq, id, event: text });
  }
  return taken;
}
