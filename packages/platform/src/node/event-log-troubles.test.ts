import { randomBytes } from "node:crypto";
import {
  collectingLog,
  loseEvents,
  loseKeys,
  migrationsFolder,
  openLine,
  openTestDatabase,
  type TestDatabase,
  testClock,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { logReader } from "../contracts/log-reader.ts";
import type { Batch, LogStore } from "../shared/event-log/log-store.ts";
import { type SharedEventLog, sharedEventLog } from "../shared/index.ts";
import { openPostgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";

const postgresUrl = process.env.TEST_DATABASE_URL ?? "";
const redisUrl = process.env.TEST_REDIS_URL ?? "";

interface Node {
  eventLog: SharedEventLog;
  line: Awaited<ReturnType<typeof openLine>>;
  log: ReturnType<typeof collectingLog>;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `event ${from + index}`);
const eventually = <Value>(read: () => Value | Promise<Value>, wanted: Value) =>
  vi.waitFor(async () => expect(await read()).toEqual(wanted), { timeout: 50_000, interval: 20 });

/** One who begins again at the head when told of a gap, as every client does. */
function steadyReader(eventLog: SharedEventLog, topic: string) {
  const told: string[] = [];
  let gaps = 0;
  async function begin() {
    eventLog.follow<string>(topic, await eventLog.head(topic), {
      entry({ event }) {
        told.push(event);
        return true;
      },
      end(reason) {
        if (reason !== "gap") return;
        gaps++;
        void begin();
      },
    });
  }
  return { told, gaps: () => gaps, begin };
}

/** The same run of chances for the same seed. */
function seededChance(seed: number) {
  let state = seed;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const kinds = [...(postgresUrl ? (["postgres"] as const) : []), ...(postgresUrl && redisUrl ? (["redis"] as const) : [])];

/** Two nodes, each with a line of its own to what they share, and a database that nobody else uses. */
async function openSetting(kind: (typeof kinds)[number], shared?: TestDatabase) {
  const database = shared ?? (await openTestDatabase("postgres"));
  const clock = testClock();
  const prefix = `parley:test:${randomBytes(6).toString("hex")}`;
  const topic = `user:${randomBytes(6).toString("hex")}`;
  const run = topic.replace("user:", "run:");
  const closers: (() => Promise<void>)[] = [];

  async function node(change: (store: LogStore) => LogStore = (store) => store): Promise<Node> {
    const line = await openLine(new URL(kind === "redis" ? redisUrl : (database.url ?? "")));
    const log = collectingLog();
    const open =
      kind === "redis"
        ? await openRedis(line.url, log)
        : await openPostgres({ url: line.url, migrations: migrationsFolder, poolSize: 2 });
    const store = "kind" in open ? open.openLogStore?.() : await open.openLogStore(prefix);
    if (!store) throw new Error("There is no store");
    const eventLog = sharedEventLog(change(store), { clock, log, patienceMs: 5_000 });
    closers.push(async () => {
      line.restore();
      await eventLog.close();
      await open.close();
      await line.close();
    });
    return { eventLog, line, log };
  }

  const lose = () => (kind === "postgres" ? loseEvents(kind, database) : loseKeys(prefix));

  const left = await node();
  const right = await node();
  const write = (from: number, to: number) => {
    for (let seq = from; seq <= to; seq++) left.eventLog.append(run, `event ${seq}`, { seq, id: `id-${seq}` });
  };
  const tell = (from: number, to: number) => {
    for (let count = from; count <= to; count++) left.eventLog.append(topic, `event ${count}`);
  };

  return {
    database,
    clock,
    prefix,
    topic,
    run,
    node,
    left,
    right,
    write,
    tell,
    /** A reader of a person's topic on each node. */
    async listeners() {
      const here = logReader();
      const there = logReader();
      const start = await left.eventLog.head(topic);
      left.eventLog.follow(topic, start, here.sink);
      right.eventLog.follow(topic, await right.eventLog.head(topic), there.sink);
      tell(1, 2);
      await eventually(() => [here.events(), there.events()], [numbers(1, 2), numbers(1, 2)]);
      return { here, there, start };
    },
    lose,
    async [Symbol.asyncDispose]() {
      await Promise.all(closers.map((close) => close()));
      if (kind === "redis") await lose();
      if (!shared) await database.close();
    },
  };
}

describe.concurrent.each(kinds)("the event log on %s in trouble", { timeout: 120_000 }, (kind) => {
  let shared: TestDatabase;
  beforeAll(async () => {
    shared = await openTestDatabase("postgres");
  });
  afterAll(() => shared.close());

  test.each(["cut", "stall"] as const)(
    "%s: readers of a run on its node notice nothing, the others are told",
    async (trouble) => {
      await using setting = await openSetting(kind, shared);
      const { left, right, run, write } = setting;
      write(1, 3);
      const here = logReader();
      const there = logReader();
      left.eventLog.follow(run, 0, here.sink);
      right.eventLog.follow(run, 0, there.sink);
      await eventually(there.events, numbers(1, 3));
      for (const { line } of [left, right]) line[trouble]();
      write(4, 50);
      expect(here.events()).toEqual(numbers(1, 50));
      await eventually(() => there.ends, ["gap"]);
      for (const { line } of [left, right]) line.restore();
      const follow = () => {
        const again = logReader();
        right.eventLog.follow(run, 3, again.sink);
        return again;
      };
      await eventually(
        async () => {
          const again = follow();
          await new Promise((resolve) => setTimeout(resolve, 400));
          return again.events();
        },
        numbers(4, 50),
      );
      left.eventLog.finish(run);
      const late = logReader();
      right.eventLog.follow(run, 0, late.sink);
      await eventually(() => late.ends, ["finished"]);
      expect(late.events()).toEqual(numbers(1, 50));
    },
  );

  test.each(["cut", "stall", "mute"] as const)(
    "%s: a person's events reach readers here at once, the others later, and nobody twice",
    async (trouble) => {
      await using setting = await openSetting(kind, shared);
      const { left, listeners, tell, topic } = setting;
      const { here, there, start } = await listeners();
      left.line[trouble]();
      tell(3, 5);
      await eventually(here.events, numbers(1, 5));
      expect(here.entries.slice(2).map(({ id }) => Number(id) - start)).toEqual([2, 2, 2]);
      tell(6, 6);
      expect(here.events()).toEqual(numbers(1, 6));
      // What was asked on a mute line was done, and is asked again over another one.
      if (trouble === "mute") left.line.cut();
      left.line.restore();
      await eventually(there.events, numbers(1, 6));
      tell(7, 7);
      await eventually(() => [here.events(), there.events()], [numbers(1, 7), numbers(1, 7)]);
      expect(here.entries.at(-1)?.id).toBe(there.entries.at(-1)?.id);
      const resumed = logReader();
      left.eventLog.follow(topic, start, resumed.sink);
      await eventually(resumed.events, numbers(1, 7));
      expect([...here.ends, ...there.ends, ...resumed.ends]).toEqual([]);
      expect(left.log.lines.filter(({ level }) => level === "warn").length).toBeLessThan(5);
    },
  );

  test("a reader who comes while the store is away hears what this node knows, and is told of a gap afterwards", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, listeners, tell, topic } = setting;
    const { start } = await listeners();
    left.line.cut();
    tell(3, 3);
    const other = `${topic}-other`;
    const head = await left.eventLog.head(other);
    const came = logReader();
    left.eventLog.follow(other, head, came.sink);
    left.eventLog.append(other, "meanwhile");
    left.eventLog.broadcast(other, "passing");
    await eventually(() => came.events().toSorted(), ["meanwhile", "passing"]);
    const resumed = logReader();
    left.eventLog.follow(topic, start, resumed.sink);
    left.line.restore();
    await eventually(() => came.ends, ["gap"]);
    await eventually(resumed.events, numbers(1, 3));
  });

  test("a store that is read and not written: who has lost something is not told so again and again", async () => {
    await using setting = await openSetting(kind);
    const { topic, right } = setting;
    let isReadOnly = false;
    const { eventLog } = await setting.node((store) => ({
      ...store,
      async write(batch) {
        if (isReadOnly) throw new Error("This store is only read");
        return store.write(batch);
      },
    }));
    const { told, gaps, begin } = steadyReader(eventLog, topic);
    await begin();
    eventLog.append(topic, "before");
    await eventually(() => told, ["before"]);
    isReadOnly = true;
    await setting.lose();
    eventLog.append(topic, "meanwhile");
    await eventually(() => told, ["before", "meanwhile"]);
    for (let count = 0; count < 50; count++) {
      right.eventLog.append(topic, "elsewhere");
      await right.eventLog.head(topic);
    }
    isReadOnly = false;
    eventLog.append(topic, "after");
    await eventually(() => told.at(-1), "after");
    expect(gaps()).toBeLessThan(3);
    expect(told.filter((event) => event === "meanwhile").length).toBeLessThan(3);
  });

  test("what is too much to keep leaves a hole: every reader is told", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, listeners, right, tell, topic } = setting;
    const { here, there } = await listeners();
    left.line.cut();
    tell(3, 12_000);
    left.line.restore();
    await eventually(() => [here.ends, there.ends], [["gap"], ["gap"]]);
    await left.eventLog.head(topic);
    const again = steadyReader(right.eventLog, topic);
    await again.begin();
    tell(12_001, 12_001);
    await eventually(() => again.told.at(-1), "event 12001");
  });

  test("what is too much to keep is kept for nobody: who comes later hears what came after it", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, listeners, tell, topic } = setting;
    const { here } = await listeners();
    left.line.cut();
    tell(3, 3);
    await eventually(here.events, numbers(1, 3));
    const large = "a".repeat(400_000);
    for (let count = 4; count <= 100; count++) left.eventLog.append(topic, `${count} ${large}`);
    expect(here.entries.length).toBe(100);
    const late = logReader();
    left.eventLog.follow(topic, await left.eventLog.head(topic), late.sink);
    // The third may still be on its way to the store.
    const heard = late.events().filter((event) => event !== "event 3");
    expect(heard).toEqual(here.events().slice(-heard.length));
    expect(late.entries.length).toBeGreaterThan(0);
    expect(late.entries.length).toBeLessThan(90);
    left.line.restore();
    await eventually(() => [here.ends, late.ends], [["gap"], ["gap"]]);
  });

  test("who comes back to large entries beside one who has them all reads them in pieces", async () => {
    await using setting = await openSetting(kind, shared);
    const { node, right, topic } = setting;
    const start = await right.eventLog.head(topic);
    const large = Array.from({ length: 20 }, (_, index) => `${index} ${"a".repeat(40_000)}`);
    for (const event of large) right.eventLog.append(topic, event);
    const largest = { read: 0 };
    const other = await node((store) => ({
      ...store,
      async read(positions) {
        const stretches = await store.read(positions);
        for (const { entries } of stretches) largest.read = Math.max(largest.read, entries.length);
        return stretches;
      },
    }));
    await right.eventLog.head(topic);
    const settled = logReader();
    other.eventLog.follow(topic, await other.eventLog.head(topic), settled.sink);
    const back = logReader();
    other.eventLog.follow(topic, start, back.sink);
    await eventually(() => [back.events(), back.ends], [large, []]);
    expect(largest.read).toBeLessThan(5);
    right.eventLog.append(topic, "small");
    await eventually(() => [settled.events(), back.events().at(-1)], [["small"], "small"]);
    expect([...settled.ends, ...back.ends]).toEqual([]);
  });

  test("a store that answers too late to much at once gets less: everything arrives, once and in order", async () => {
    await using setting = await openSetting(kind, shared);
    const { node, right, topic } = setting;
    const lengthOf = ({ byStore, byWriter }: Batch) =>
      [...byStore, ...byWriter].flatMap(({ entries }) => entries).reduce((sum, { event }) => sum + event.length, 0);
    const largest = { asked: 0, answered: 0 };
    const slow = await node((store) => ({
      ...store,
      async write(batch) {
        const written = await store.write(batch);
        largest.asked = Math.max(largest.asked, lengthOf(batch));
        if (lengthOf(batch) > 300_000) throw new Error("Too late");
        largest.answered = Math.max(largest.answered, lengthOf(batch));
        return written;
      },
    }));
    const people = Array.from({ length: 100 }, (_, index) => `${topic}-${index}`);
    const run = topic.replace("user:", "run:");
    const large = "a".repeat(40_000);
    const readers = people.map(() => logReader<{ count: number }>());
    const starts = await Promise.all(people.map((person) => right.eventLog.head(person)));
    for (const [index, each] of readers.entries()) right.eventLog.follow(people[index] ?? "", starts[index] ?? 0, each.sink);
    const runner = logReader<{ seq: number }>();
    for (let seq = 1; seq <= 30; seq++) slow.eventLog.append(run, { seq, large }, { seq, id: String(seq) });
    right.eventLog.follow(run, 0, runner.sink);
    for (let count = 0; count < 3; count++) for (const person of people) slow.eventLog.append(person, { count, large });
    const counts = readers.map(() => [0, 1, 2]);
    await eventually(() => readers.map(({ events }) => events().map(({ count }) => count)), counts);
    await eventually(
      () => runner.events().map(({ seq }) => seq),
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    await eventually(() => slow.log.lines.at(-1)?.message, "the store of events is back");
    expect(largest.asked).toBeLessThan(2_200_000);
    expect(largest.answered).toBeGreaterThan(40_000);
    const late = logReader<{ count: number }>();
    right.eventLog.follow(people[0] ?? "", starts[0] ?? 0, late.sink);
    await eventually(() => late.events().map(({ count }) => count), [0, 1, 2]);
    expect([...readers, runner, late].flatMap(({ ends }) => ends)).toEqual([]);
  });

  test("what the store has lost: a person's readers are told, and a run is there again", async () => {
    await using setting = await openSetting(kind);
    const { listeners, lose, node, right, run, tell, topic, write } = setting;
    const { here, there } = await listeners();
    write(1, 3);
    const remote = logReader();
    right.eventLog.follow(run, 0, remote.sink);
    await eventually(remote.events, numbers(1, 3));
    await lose();
    write(4, 5);
    await eventually(remote.events, numbers(1, 5));
    await eventually(() => [here.ends, there.ends], [["gap"], ["gap"]]);
    const late = logReader();
    (await node()).eventLog.follow(run, 0, late.sink);
    await eventually(late.events, numbers(1, 5));
    const before = Number(here.entries.at(-1)?.id);
    const again = logReader();
    right.eventLog.follow(topic, await right.eventLog.head(topic), again.sink);
    tell(6, 6);
    await eventually(again.events, ["event 6"]);
    expect(Number(again.entries[0]?.id)).toBeGreaterThan(before);
  });

  test("a node without its bell looks by itself", async () => {
    await using setting = await openSetting(kind, shared);
    const { node, tell, topic } = setting;
    const deaf = await node((store) => ({ ...store, listen() {} }));
    const there = logReader();
    deaf.eventLog.follow(topic, await deaf.eventLog.head(topic), there.sink);
    for (let count = 1; count <= 3; count++) {
      tell(count, count);
      await eventually(there.events, numbers(1, count));
    }
  });

  test("a writer that is gone: its readers elsewhere have what was written, and are told", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, right, run, write } = setting;
    write(1, 3);
    const there = logReader();
    right.eventLog.follow(run, 0, there.sink);
    await eventually(there.events, numbers(1, 3));
    await left.eventLog.close();
    await eventually(() => there.ends, ["gap"]);
    const late = logReader();
    right.eventLog.follow(run, 1, late.sink);
    await eventually(() => late.ends, ["gap"]);
    expect(late.events()).toEqual(numbers(2, 3));
  });

  test("a log that closes ends its readers, and writes what it still has", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, listeners, tell } = setting;
    const { here, there } = await listeners();
    tell(3, 3);
    await left.eventLog.close();
    tell(4, 4);
    expect(here.ends).toEqual(["closed"]);
    await eventually(there.events, numbers(1, 3));
  });

  test("many nodes that write for the same people at once do not stand in each other's way", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, node, right, topic } = setting;
    const nodes = [left, right, await node()];
    const people = Array.from({ length: 20 }, (_, index) => `${topic}-${index}`);
    const starts: number[] = [];
    const readers = await Promise.all(
      people.map(async (person, index) => {
        const each = logReader();
        starts[index] = await right.eventLog.head(person);
        right.eventLog.follow(person, starts[index], each.sink);
        return each;
      }),
    );
    for (let round = 0; round < 10; round++) {
      for (const { eventLog } of nodes) {
        for (const person of people.toSorted(() => Math.random() - 0.5)) eventLog.append(person, "told");
      }
      await nodes[round % 3]?.eventLog.head(topic);
    }
    await eventually(
      () => readers.map(({ entries }) => entries.length),
      people.map(() => 30),
    );
    expect(readers.flatMap(({ ends }) => ends)).toEqual([]);
    for (const [index, person] of people.entries()) {
      const again = logReader();
      left.eventLog.follow(person, starts[index] ?? 0, again.sink);
      await eventually(() => new Set(again.entries.map(({ id }) => id)).size, 30);
    }
    for (const { log } of nodes) expect(log.lines.filter(({ level }) => level === "warn")).toEqual([]);
  });

  test("whatever happens to the lines, every reader hears each writer's events once and in order", async () => {
    await using setting = await openSetting(kind, shared);
    const { left, node, right, topic } = setting;
    const nodes = [left, right, await node()];
    const seed = Math.floor(Math.random() * 2 ** 31);
    const chance = seededChance(seed);
    const wrong: string[] = [];
    const readers = await Promise.all(
      nodes.flatMap(({ eventLog }, index) =>
        [`quick ${index}`, `slow ${index}`].map(async (name) => {
          const heard = nodes.map(() => 0);
          const following = eventLog.follow<{ writer: number; count: number }>(topic, await eventLog.head(topic), {
            entry({ event: { writer, count } }) {
              if (count !== (heard[writer] ?? 0) + 1) wrong.push(`${name}: ${heard[writer]}, then ${count} of ${writer}`);
              heard[writer] = count;
              return name.startsWith("quick") || chance() > 0.05;
            },
            end: (reason) => wrong.push(`${name}: ${reason}`),
          });
          return { heard, following };
        }),
      ),
    );
    const told = nodes.map(() => 0);
    for (let round = 0; round < 200; round++) {
      const writer = Math.floor(chance() * nodes.length);
      const troubled = nodes[Math.floor(chance() * nodes.length)]?.line;
      const trouble = chance();
      if (trouble < 0.02) troubled?.cut();
      else if (trouble < 0.03) troubled?.stall();
      else if (trouble < 0.05) troubled?.mute();
      else if (trouble < 0.1) for (const { line } of nodes) line.cut();
      if (trouble > 0.9) for (const { line } of nodes) line.restore();
      for (let count = 0; count < 2; count++) {
        const next = (told[writer] ?? 0) + 1;
        told[writer] = next;
        nodes[writer]?.eventLog.append(topic, { writer, count: next });
      }
      for (const { following } of readers) if (chance() < 0.3) following.resume();
      await new Promise((resolve) => setTimeout(resolve, chance() * 20));
    }
    for (const { line } of nodes) {
      line.cut();
      line.restore();
    }
    await eventually(
      () => {
        for (const { following } of readers) following.resume();
        return { seed, wrong, heard: readers.map(({ heard }) => heard) };
      },
      { seed, wrong: [], heard: readers.map(() => told) },
    );
  });

  if (kind === "postgres") {
    const countOf = async ({ database, run }: Awaited<ReturnType<typeof openSetting>>) => {
      const rows: unknown = await database.database.execute(
        sql`select count(*)::int as count from event_log where topic = ${run}`,
      );
      return Array.isArray(rows) ? rows[0].count : null;
    };

    test("a run that nobody follows elsewhere costs the database nothing", async () => {
      await using setting = await openSetting(kind, shared);
      const { clock, left, right, run, topic, write } = setting;
      const here = logReader();
      write(1, 1);
      left.eventLog.follow(run, 0, here.sink);
      write(2, 500);
      expect(here.events()).toHaveLength(500);
      await left.eventLog.head(topic);
      expect(await countOf(setting)).toBe(0);
      const there = logReader();
      right.eventLog.follow(run, 450, there.sink);
      await eventually(there.events, numbers(451, 500));
      expect(await countOf(setting)).toBe(500);
      left.eventLog.finish(run);
      await eventually(() => there.ends, ["finished"]);
      clock.advance({ seconds: 61 });
      await left.eventLog.sweep();
      expect(await countOf(setting)).toBe(0);
    });

    test("what is old is dropped, by several nodes at once", async () => {
      await using setting = await openSetting(kind);
      const { clock, database, left, right, tell, topic } = setting;
      tell(1, 3);
      await left.eventLog.head(topic);
      await database.database.execute(sql`update event_log set created_at = now() - interval '2 hours'`);
      clock.advance({ seconds: 61 });
      await Promise.all([left, right].map(({ eventLog }) => eventLog.sweep()));
      const rows: unknown = await database.database.execute(sql`select count(*)::int as count from event_log`);
      expect(rows).toMatchObject([{ count: 0 }]);
      const late = logReader();
      right.eventLog.follow(topic, (await right.eventLog.head(topic)) - 2, late.sink);
      await eventually(() => late.ends, ["gap"]);
      await database.database.execute(sql`update event_heads set updated_at = now() - interval '8 days'`);
      clock.advance({ seconds: 61 });
      await right.eventLog.sweep();
      const head = await right.eventLog.head(topic);
      const again = logReader();
      right.eventLog.follow(topic, head, again.sink);
      tell(4, 4);
      await eventually(again.events, numbers(4, 4));
    });

    test("connections that Postgres ends are replaced, the listening one too", async () => {
      await using setting = await openSetting(kind);
      const { database, listeners, tell } = setting;
      const { here, there } = await listeners();
      for (let round = 0; round < 3; round++) {
        await database.database.execute(
          sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
        );
        tell(round + 3, round + 3);
        await eventually(() => [here.events(), there.events()], [numbers(1, round + 3), numbers(1, round + 3)]);
      }
    });
  }

  test("a write that is done and never answered is tried again, and nobody is told twice", async () => {
    await using setting = await openSetting(kind, shared);
    const { node, right, topic } = setting;
    let isLost = true;
    const forgetful = await node((store) => ({
      ...store,
      async write(batch) {
        const written = await store.write(batch);
        if (batch.byStore.length === 0 || !isLost) return written;
        isLost = false;
        return new Promise(() => {});
      },
    }));
    const there = logReader();
    right.eventLog.follow(topic, await right.eventLog.head(topic), there.sink);
    forgetful.eventLog.append(topic, "event 1");
    await eventually(there.events, numbers(1, 1));
    forgetful.eventLog.append(topic, "event 2");
    await eventually(there.events, numbers(1, 2));
  });

  if (kind === "redis") {
    test("every key of it expires", async () => {
      await using setting = await openSetting(kind, shared);
      const { listeners, prefix, right, run, write } = setting;
      await listeners();
      write(1, 3);
      const there = logReader();
      right.eventLog.follow(run, 0, there.sink);
      await eventually(there.events, numbers(1, 3));
      const redis = new Redis(redisUrl);
      const keys = await redis.keys(`${prefix}:*`);
      expect(keys.length).toBeGreaterThanOrEqual(3);
      for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
      redis.disconnect();
    });
  }
});
