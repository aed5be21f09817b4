import type { RunEvent } from "@parley/contract/events";
import { expect, test } from "vitest";
import type { FeedEntry } from "../feed.ts";
import { mergeDeltas } from "./merge.ts";

function reader({ room = true } = {}) {
  const entries: FeedEntry<RunEvent>[] = [];
  const sink = mergeDeltas({
    entry(entry) {
      entries.push(entry);
      return room;
    },
    end() {},
  });
  return { entries, sink };
}

const delta = (id: string, offset: number, text: string): FeedEntry<RunEvent> => ({
  id,
  event: { type: "text-delta", offset, text },
});

test("a reader who keeps up gets the very entries that others get", () => {
  const { entries, sink } = reader();
  const entry = delta("1", 0, "a");
  expect(sink.entry(entry, false)).toBe(true);
  expect(entries[0]).toBe(entry);
});

test("what waits is joined under the id of the last", () => {
  const { entries, sink } = reader();
  sink.entry(delta("1", 0, "ab"), true);
  sink.entry(delta("2", 2, "cd"), true);
  sink.entry(delta("3", 4, "e"), false);
  expect(entries).toEqual([delta("3", 0, "abcde")]);
});

test("nothing is joined across another kind of event, and nothing is lost when the reader is full", () => {
  const { entries, sink } = reader({ room: false });
  const reasoning: FeedEntry<RunEvent> = { id: "2", event: { type: "reasoning-delta", offset: 0, text: "hm" } };
  const call: FeedEntry<RunEvent> = { id: "3", event: { type: "tool-call", callId: "c", name: "n", input: {} } };
  expect(sink.entry(delta("1", 0, "ab"), true)).toBe(true);
  expect(sink.entry(reasoning, true)).toBe(false);
  expect(sink.entry(call, true)).toBe(false);
  expect(sink.entry(delta("4", 2, "cd"), false)).toBe(false);
  expect(entries.map(({ id }) => id)).toEqual(["1", "2", "3", "4"]);
});

test("a long backlog comes in pieces of bounded size", () => {
  const { entries, sink } = reader();
  const piece = "x".repeat(1_000);
  for (let index = 0; index < 100; index++) sink.entry(delta(String(index), index * 1_000, piece), index < 99);
  expect(entries.length).toBeGreaterThan(1);
  const lengths = entries.map(({ event }) => (event.type === "text-delta" ? event.text.length : 0));
  expect(Math.max(...lengths)).toBeLessThan(20_000);
  expect(lengths.reduce((sum, length) => sum + length)).toBe(100_000);
});
