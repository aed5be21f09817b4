import type { EventLog, LogEntry, LogSink } from "@parley/core/ports";
import { beforeEach, describe, expect, test } from "vitest";

/** What every event log keeps, whatever it is made of. */
export function eventLogContract(open: () => EventLog | Promise<EventLog>) {
  let log: EventLog;
  let topics = 0;
  let topic: string;

  beforeEach(async () => {
    log = await open();
    topic = `run:contract-${Date.now()}-${++topics}`;
  });

  function reader({ room = () => true }: { room?: () => boolean } = {}) {
    const entries: LogEntry<string>[] = [];
    const more: boolean[] = [];
    const ends: string[] = [];
    const sink: LogSink<string> = {
      entry(entry, isMore) {
        entries.push(entry);
        more.push(isMore);
        return room();
      },
      end: (reason) => ends.push(reason),
    };
    return { sink, entries, more, ends, events: () => entries.map(({ event }) => event) };
  }

  const write = (from: number, to: number) => {
    for (let seq = from; seq <= to; seq++) log.append(topic, `event ${seq}`, { seq, id: `id-${seq}` });
  };
  const expected = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `event ${from + index}`);

  describe("a topic numbered by its writer", () => {
    test("is handed over in order, what was there and what comes", async () => {
      write(1, 3);
      const late = reader();
      log.follow(topic, 0, late.sink);
      write(4, 5);
      await expect.poll(late.events).toEqual(expected(1, 5));
      expect(late.entries.map(({ id }) => id)).toEqual(["id-1", "id-2", "id-3", "id-4", "id-5"]);
    });

    test("can be resumed at every position", async () => {
      write(1, 8);
      for (let after = 0; after <= 8; after++) {
        const resumed = reader();
        log.follow(topic, after, resumed.sink);
        await expect.poll(resumed.events).toEqual(expected(after + 1, 8));
      }
    });

    test("says whether more follows at once", async () => {
      write(1, 3);
      const late = reader();
      log.follow(topic, 0, late.sink);
      await expect.poll(() => late.more).toEqual([true, true, false]);
    });

    test("waits for a reader who is full, and nobody else waits", async () => {
      write(1, 1);
      let isFull = true;
      const slow = reader({ room: () => !isFull });
      const quick = reader();
      const following = log.follow(topic, 0, slow.sink);
      log.follow(topic, 0, quick.sink);
      write(2, 10_000);
      await expect.poll(() => quick.entries.length).toBe(10_000);
      expect(slow.entries).toHaveLength(1);
      isFull = false;
      following.resume();
      await expect.poll(() => slow.entries.length).toBe(10_000);
      expect(slow.events()).toEqual(quick.events());
    });

    test("hands nothing to a reader who has left", async () => {
      write(1, 1);
      const leaving = reader();
      const staying = reader();
      const following = log.follow(topic, 0, leaving.sink);
      log.follow(topic, 0, staying.sink);
      await expect.poll(() => leaving.entries.length).toBe(1);
      following.stop();
      following.stop();
      following.resume();
      write(2, 3);
      await expect.poll(() => staying.entries.length).toBe(3);
      expect(leaving.entries).toHaveLength(1);
      expect(leaving.ends).toEqual([]);
    });

    test("lets a reader leave, and another come, in the middle of an entry", async () => {
      write(1, 2);
      const second = reader();
      const first = reader();
      const following = log.follow(topic, 2, {
        entry(entry: LogEntry<string>, more) {
          following.stop();
          log.follow(topic, 0, second.sink);
          return first.sink.entry(entry, more);
        },
        end: first.sink.end,
      });
      write(3, 4);
      await expect.poll(second.events).toEqual(expected(1, 4));
      expect(first.events()).toEqual(expected(3, 3));
    });

    test("shares one entry among its readers", async () => {
      const left = reader();
      const right = reader();
      write(1, 1);
      log.follow(topic, 0, left.sink);
      log.follow(topic, 0, right.sink);
      await expect.poll(() => [left.entries.length, right.entries.length]).toEqual([1, 1]);
      expect(left.entries[0]).toBe(right.entries[0]);
    });

    test("ends for its readers once it is finished and read", async () => {
      write(1, 2);
      const early = reader();
      log.follow(topic, 0, early.sink);
      log.finish(topic);
      const late = reader();
      log.follow(topic, 2, late.sink);
      await expect.poll(() => [early.ends, late.ends]).toEqual([["finished"], ["finished"]]);
      expect(early.events()).toEqual(expected(1, 2));
    });

    test("is a gap where it has never been", async () => {
      const nowhere = reader();
      log.follow(topic, 0, nowhere.sink);
      await expect.poll(() => nowhere.ends).toEqual(["gap"]);
    });
  });

  describe("a topic numbered by the log", () => {
    beforeEach(() => {
      topic = topic.replace("run:", "user:");
    });

    test("is followed from now on by its head", async () => {
      log.append(topic, "before");
      const head = await log.head(topic);
      const now = reader();
      log.follow(topic, head, now.sink);
      log.append(topic, "after");
      await expect.poll(now.events).toEqual(["after"]);
      expect(Number(now.entries[0]?.id)).toBe(head + 1);
    });

    test("has a head before its first entry", async () => {
      const first = reader();
      log.follow(topic, await log.head(topic), first.sink);
      log.append(topic, "first");
      await expect.poll(first.events).toEqual(["first"]);
    });

    test("is a gap for positions it cannot have given", async () => {
      log.append(topic, "only");
      for (const after of [0, 17, (await log.head(topic)) + 1]) {
        const lost = reader();
        log.follow(topic, after, lost.sink);
        await expect.poll(() => lost.ends, { message: `after ${after}` }).toEqual(["gap"]);
      }
    });

    test("keeps to itself", async () => {
      const mine = reader();
      log.follow(topic, await log.head(topic), mine.sink);
      log.append(`${topic}-other`, "theirs");
      log.append(topic, "mine");
      await expect.poll(mine.events).toEqual(["mine"]);
    });
  });
}
