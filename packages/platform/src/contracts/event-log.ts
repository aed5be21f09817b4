import type { EventLog, LogEntry, LogSink } from "@parley/core/ports";
import { beforeEach, describe, expect, test } from "vitest";
import { logReader } from "./log-reader.ts";

interface Nodes {
  writer: EventLog;
  /** The same log for one node; for several, another one that shares what there is to share. */
  reader: EventLog;
}

/** What every event log keeps, whatever it is made of and wherever its readers are. */
export function eventLogContract(open: () => Nodes | Promise<Nodes>) {
  let writer: EventLog;
  let log: EventLog;
  let topics = 0;
  let topic: string;

  beforeEach(async () => {
    ({ writer, reader: log } = await open());
    topic = `run:contract-${Date.now()}-${++topics}`;
  });

  const write = (from: number, to: number) => {
    for (let seq = from; seq <= to; seq++) writer.append(topic, `event ${seq}`, { seq, id: `id-${seq}` });
  };
  const expected = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `event ${from + index}`);

  describe("a topic numbered by its writer", () => {
    test("is handed over in order, what was there and what comes", async () => {
      write(1, 3);
      const late = logReader();
      log.follow(topic, 0, late.sink);
      write(4, 5);
      await expect.poll(late.events).toEqual(expected(1, 5));
      expect(late.entries.map(({ id }) => id)).toEqual(["id-1", "id-2", "id-3", "id-4", "id-5"]);
    });

    test("can be resumed at every position", async () => {
      write(1, 8);
      for (let after = 0; after <= 8; after++) {
        const resumed = logReader();
        log.follow(topic, after, resumed.sink);
        await expect.poll(resumed.events).toEqual(expected(after + 1, 8));
      }
    });

    test("says whether more follows at once", async () => {
      write(1, 3);
      const late = logReader();
      log.follow(topic, 0, late.sink);
      await expect.poll(() => late.more).toEqual([true, true, false]);
    });

    test("waits for a reader who is full, and nobody else waits", async () => {
      write(1, 1);
      let isFull = true;
      const slow = logReader({ room: () => !isFull });
      const quick = logReader();
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
      const leaving = logReader();
      const staying = logReader();
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
      const second = logReader();
      const first = logReader();
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
      const left = logReader();
      const right = logReader();
      write(1, 1);
      log.follow(topic, 0, left.sink);
      log.follow(topic, 0, right.sink);
      await expect.poll(() => [left.entries.length, right.entries.length]).toEqual([1, 1]);
      expect(left.entries[0]).toBe(right.entries[0]);
    });

    test("ends for its readers once it is finished and read", async () => {
      write(1, 2);
      const early = logReader();
      log.follow(topic, 0, early.sink);
      writer.finish(topic);
      const late = logReader();
      log.follow(topic, 2, late.sink);
      await expect.poll(() => [early.ends, late.ends]).toEqual([["finished"], ["finished"]]);
      expect(early.events()).toEqual(expected(1, 2));
    });

    test("is a gap where it has never been", async () => {
      const nowhere = logReader();
      log.follow(topic, 0, nowhere.sink);
      await expect.poll(() => nowhere.ends, { timeout: 5_000 }).toEqual(["gap"]);
    });
  });

  describe("a topic numbered by the log", () => {
    beforeEach(() => {
      topic = topic.replace("run:", "user:");
    });

    /** The reader's own, once what was appended has its numbers. */
    const headNow = async () => {
      await writer.head(topic);
      return log.head(topic);
    };
    const tell = (from: number, to: number) => {
      for (let count = from; count <= to; count++) writer.append(topic, `event ${count}`);
    };

    test("is followed from now on by its head", async () => {
      writer.append(topic, "before");
      const head = await headNow();
      const now = logReader();
      log.follow(topic, head, now.sink);
      writer.append(topic, "after");
      await expect.poll(now.events).toEqual(["after"]);
      expect(Number(now.entries[0]?.id)).toBe(head + 1);
    });

    test("has a head before its first entry", async () => {
      const first = logReader();
      log.follow(topic, await log.head(topic), first.sink);
      writer.append(topic, "first");
      await expect.poll(first.events).toEqual(["first"]);
    });

    test("is handed over in order, and can be resumed at every position", async () => {
      const start = await headNow();
      const early = logReader();
      log.follow(topic, start, early.sink);
      tell(1, 8);
      await expect.poll(early.events).toEqual(expected(1, 8));
      expect(early.entries.map(({ id }) => Number(id) - start)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      for (let after = 0; after <= 8; after++) {
        const resumed = logReader();
        log.follow(topic, start + after, resumed.sink);
        await expect.poll(resumed.events).toEqual(expected(after + 1, 8));
        expect(resumed.ends).toEqual([]);
      }
    });

    test("is a gap for positions it cannot have given", async () => {
      writer.append(topic, "only");
      for (const after of [0, 17, (await headNow()) + 1]) {
        const lost = logReader();
        log.follow(topic, after, lost.sink);
        await expect.poll(() => lost.ends, { message: `after ${after}` }).toEqual(["gap"]);
      }
    });

    test("keeps a bounded number of entries: whoever is further behind is told", async () => {
      const start = await headNow();
      let isFull = false;
      const slow = logReader({ room: () => !isFull });
      const following = log.follow(topic, start, slow.sink);
      tell(1, 1);
      await expect.poll(slow.events).toEqual(expected(1, 1));
      isFull = true;
      for (let round = 0; round < 10; round++) {
        tell(round * 200 + 2, round * 200 + 201);
        await headNow();
      }
      const quick = logReader();
      log.follow(topic, (await headNow()) - 5, quick.sink);
      await expect.poll(quick.events).toEqual(expected(1_997, 2_001));
      isFull = false;
      following.resume();
      await expect.poll(() => slow.ends).toEqual(["gap"]);
      const late = logReader();
      log.follow(topic, start, late.sink);
      await expect.poll(() => late.ends).toEqual(["gap"]);
    });

    test("has what many append at once, each with a number of its own", async () => {
      const start = await headNow();
      const left = logReader();
      const right = logReader();
      log.follow(topic, start, left.sink);
      writer.follow(topic, start, right.sink);
      for (let count = 0; count < 50; count++) {
        writer.append(topic, `left ${count}`);
        log.append(topic, `right ${count}`);
        if (count % 10 === 0) await log.head(topic);
      }
      await expect.poll(() => [left.entries.length, right.entries.length]).toEqual([100, 100]);
      expect(left.events()).toEqual(right.events());
      expect(new Set(left.events()).size).toBe(100);
      expect(left.entries.map(({ seq }) => seq - start)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      expect(left.events().filter((event) => event.startsWith("left"))).toEqual(
        Array.from({ length: 50 }, (_, index) => `left ${index}`),
      );
    });

    test("shares one entry among its readers", async () => {
      const start = await headNow();
      const left = logReader();
      const right = logReader();
      log.follow(topic, start, left.sink);
      log.follow(topic, start, right.sink);
      tell(1, 1);
      await expect.poll(() => [left.entries.length, right.entries.length]).toEqual([1, 1]);
      expect(left.entries[0]).toBe(right.entries[0]);
    });

    test("keeps to itself", async () => {
      const mine = logReader();
      log.follow(topic, await log.head(topic), mine.sink);
      writer.append(`${topic}-other`, "theirs");
      writer.append(topic, "mine");
      await expect.poll(mine.events).toEqual(["mine"]);
    });

    test("gives dates back as dates, and what people wrote as they wrote it", async () => {
      const seen: unknown[] = [];
      const sink: LogSink<unknown> = { entry: ({ event }) => seen.push(event) > 0, end() {} };
      log.follow(topic, await log.head(topic), sink);
      const metadata: unknown = JSON.parse(
        '{"$date":"2026-01-01T00:00:00.000Z","__proto__":{"polluted":true},"a.b":[null,"2026-01-01T00:00:00.000Z"],"\\u0000":"\\ud800"}',
      );
      const event = { metadata, text: "שלום 👋", createdAt: new Date(1), deep: [{ at: new Date(2) }, [new Date(3)]], none: null };
      writer.append(topic, event);
      await expect.poll(() => seen.length).toBe(1);
      expect(seen[0]).toStrictEqual(event);
      expect(JSON.stringify(seen[0])).toBe(JSON.stringify(event));
    });

    test("tells what passes to whoever has everything, with the last id they have had", async () => {
      const start = await headNow();
      const here = logReader();
      const there = logReader();
      writer.follow(topic, start, here.sink);
      log.follow(topic, start, there.sink);
      writer.broadcast(topic, "passing");
      tell(1, 1);
      await expect.poll(() => here.entries.length + there.entries.length).toBe(4);
      writer.broadcast(topic, "passing again");
      for (const each of [here, there]) {
        await expect.poll(each.events).toHaveLength(3);
        expect(each.events().toSorted()).toEqual(["event 1", "passing", "passing again"]);
        expect(each.entries.at(-1)).toMatchObject({ id: String(start + 1), event: "passing again" });
      }
      const late = logReader();
      log.follow(topic, start, late.sink);
      await expect.poll(late.events).toEqual(expected(1, 1));
    });

    test("lets large things pass too", async () => {
      const there = logReader();
      log.follow(topic, await headNow(), there.sink);
      const large = "a".repeat(20_000) + "ש👋".repeat(5_000);
      writer.broadcast(topic, large);
      await expect.poll(() => there.events()[0] === large).toBe(true);
    });
  });
}
