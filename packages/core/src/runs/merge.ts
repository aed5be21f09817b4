import type { RunEvent } from "@parley/contract/events";
import type { FeedEntry, FeedSink } from "../feed.ts";

type Delta = Extract<RunEvent, { type: "text-delta" | "reasoning-delta" }>;

const maxMergedLength = 16_384;

/**
 * Joins the deltas that are waiting for a reader who is behind. A reader who keeps up gets every entry as it is, with
 * the serialised form that all such readers share.
 */
export function mergeDeltas(sink: FeedSink<RunEvent>): FeedSink<RunEvent> {
  let held: { id: string; event: Delta } | undefined;

  function flush(more: boolean): boolean {
    if (!held) return true;
    const entry = held;
    held = undefined;
    return sink.entry(entry, more);
  }

  return {
    entry(entry, more) {
      const delta = asDelta(entry);
      if (!delta) {
        const room = flush(true);
        return sink.entry(entry, more) && room;
      }
      if (held && continues(held.event, delta)) {
        held = { id: entry.id, event: { ...held.event, text: held.event.text + delta.text } };
        return more && held.event.text.length < maxMergedLength ? true : flush(more);
      }
      const room = flush(true);
      if (!more) return sink.entry(entry, more) && room;
      held = { id: entry.id, event: delta };
      return room;
    },
    end(error) {
      flush(false);
      sink.end(error);
    },
  };
}

function continues(before: Delta, delta: Delta): boolean {
  return before.type === delta.type && before.offset + before.text.length === delta.offset;
}

function asDelta({ event }: FeedEntry<RunEvent>): Delta | undefined {
  return event.type === "text-delta" || event.type === "reasoning-delta" ? event : undefined;
}
