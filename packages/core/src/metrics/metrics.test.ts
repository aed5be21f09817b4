import { databaseKinds, openTestDatabase, type TestDatabase, testClock, testOrigin, testServices } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { advisoryLocks } from "../database/advisory-locks.ts";

type Node = ReturnType<typeof testServices>;

interface Row {
  seconds: number;
  node: string;
  readings: number;
  values: Record<string, number>;
  [column: string]: unknown;
}

const hour = 3_600;
const take = (node: Node) => node.round("take readings");
const rowsOf = async ({ database }: TestDatabase, query: ReturnType<typeof sql>): Promise<Row[]> => {
  const found: unknown = await database.execute(query);
  return Array.isArray(found) ? found : (found as { rows: Row[] }).rows;
};
const samplesOf = (database: TestDatabase, name: string) =>
  rowsOf(database, sql`select * from metric_samples where node = ${name} order by seconds, at`);

/** One call, as the guards of procedures report it. */
const call = ({ calls }: Node, procedure: string, ms: number, reason: "internal" | "not_found" | null = null) =>
  calls.ended({ procedure, requestId: "r", userId: null, ms, reason });

/** It begins with an hour, so that what follows is in the same stretches. */
function clockOnTheHour() {
  const clock = testClock();
  clock.advance({ seconds: hour + 1 - ((clock.now().getTime() / 1_000) % hour) });
  return clock;
}

describe.each(databaseKinds)("metrics on %s", (kind) => {
  let database: TestDatabase;
  let clock: ReturnType<typeof testClock>;
  const nodes: Node[] = [];
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  beforeEach(() => {
    clock = clockOnTheHour();
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
    await database.database.execute(sql`truncate metric_samples, endpoint_samples`);
  });
  afterAll(() => database.close());

  /** It has taken its first reading. */
  async function boot(node: string, options: Parameters<typeof testServices>[1] = {}) {
    const booted = testServices(database, { node, clock, ...options });
    nodes.push(booted);
    await booted.background.settled();
    return booted;
  }

  test("a reading is kept in three widths, each with what it had before", async () => {
    const node = await boot("one");
    for (const ms of [10, 20, 30]) {
      call(node, "auth.me", ms);
      clock.advance({ seconds: 30 });
      await take(node);
    }
    const rows = await samplesOf(database, "one");
    expect(rows.map(({ seconds, readings }) => [seconds, readings])).toEqual([
      [30, 1],
      [30, 1],
      [30, 1],
      [30, 1],
      [300, 4],
      [3_600, 4],
    ]);
    for (const { values } of rows.slice(4)) {
      expect(values).toMatchObject({ api_calls: 3, api_response_time: 20, error_rate: 0, runs_active: 0 });
      expect(values.process_memory).toBeGreaterThan(1_000_000);
      expect(values.db_response_time).toBeGreaterThanOrEqual(0);
    }
  });

  test("messages are counted when they are accepted, and once; sign-ins when they fail", async () => {
    const node = await boot("one");
    const { actor, email } = await node.person();
    const message = { content: "Hello", clientMessageId: "one", answer: false };
    await node.turns.send(actor, message);
    await node.turns.send(actor, message);
    await expect(
      node.turns.send(actor, { ...message, content: "".padEnd(20_000, "x"), clientMessageId: "two" }),
    ).rejects.toThrow();
    await expect(node.auth.login({ identifier: email, password: "wrong" }, testOrigin)).rejects.toThrow();
    await take(node);
    expect(node.sampler.latest()?.values).toMatchObject({ messages: 1, failed_sign_ins: 1 });
  });

  test("a node that was started again goes on with what it had", async () => {
    const first = await boot("again");
    for (const ms of [10, 30]) {
      call(first, "auth.me", ms);
      await take(first);
    }
    await first.stop();
    const second = await boot("again");
    call(second, "auth.me", 100, "internal");
    call(second, "chat.send", 100, "not_found");
    await take(second);
    const [widest] = await rowsOf(
      database,
      sql`select * from metric_samples where node = 'again' and seconds = 3600 order by at desc limit 1`,
    );
    expect(widest).toMatchObject({ readings: 5, values: { api_calls: 4, api_errors: 2, error_rate: 25, api_response_time: 60 } });
    const { items } = await second.metrics.endpoints("24h");
    expect(items.find(({ procedure }) => procedure === "auth.me")).toMatchObject({
      calls: 3,
      errors: 1,
      reasons: { internal: 1 },
    });
  });

  test("what was counted since the last reading is kept when a node stops, and when its clock is put back", async () => {
    const node = await boot("steps");
    const callsOf = async () =>
      (await node.metrics.endpoints("24h")).items.find(({ procedure }) => procedure === "auth.me")?.calls;
    call(node, "auth.me", 10);
    await node.sampler.finish();
    expect(await callsOf()).toBe(1);
    clock.advance({ seconds: 900 });
    call(node, "auth.me", 10);
    await take(node);
    clock.advance({ seconds: -900 });
    call(node, "auth.me", 10);
    await take(node);
    clock.advance({ seconds: 900 });
    expect(await callsOf()).toBe(3);
  });

  test("whatever callers do wrong hides no fault of ours", async () => {
    const node = await boot("noisy");
    for (let index = 0; index < 60; index++) {
      for (const reason of ["not_found", "internal"] as const) call(node, `subject.procedure${index}`, 1, reason);
    }
    for (let index = 0; index < 400; index++) node.meters.callErrors.add(1, `subject.other${index}`, "invalid_input");
    call(node, "chat.send", 1, "internal");
    await take(node);
    const { items } = await node.metrics.endpoints("24h");
    expect(items.find(({ procedure }) => procedure === "chat.send")?.reasons).toEqual({ internal: 1 });
  });

  test("an hour of several nodes is read as series, with nothing where nobody looked", async () => {
    const [one, two] = [await boot("one"), await boot("two")];
    clock.advance({ seconds: 60 });
    for (const node of [one, two]) await take(node);
    const { series, from, to, stepMs } = await one.metrics.series("1h");
    expect(stepMs).toBe(30_000);
    expect(to.getTime() - from.getTime()).toBe(hour * 1_000);
    const memory = series.filter(({ name }) => name === "process_memory");
    expect(memory.map(({ node, unit }) => [node, unit])).toEqual([
      ["one", "bytes"],
      ["two", "bytes"],
    ]);
    for (const { values } of series) expect(values).toHaveLength(120);
    expect(memory[0]?.values.slice(-3)).toEqual([expect.any(Number), null, expect.any(Number)]);
    expect(memory[0]?.values.slice(0, -3).every((value) => value === null)).toBe(true);
  });

  test("while nothing can be saved every stretch is kept, and written later", async () => {
    const node = await boot("one");
    const people = database.database;
    await people.execute(sql`alter table metric_samples rename to away`);
    for (let count = 0; count < 24; count++) {
      call(node, "auth.me", 10);
      clock.advance({ seconds: 30 });
      await take(node);
    }
    expect(node.log.lines.filter(({ message }) => message.includes("could not be saved"))).toHaveLength(24);
    await people.execute(sql`alter table away rename to metric_samples`);
    clock.advance({ seconds: 30 });
    await take(node);
    const rows = await samplesOf(database, "one");
    const calls = (width: number) => rows.filter(({ seconds }) => seconds === width).map(({ values }) => values.api_calls);
    expect(calls(30)).toEqual([0, ...new Array(24).fill(1), 0]);
    expect(calls(300).reduce((sum = 0, count = 0) => sum + count)).toBe(24);
    expect(calls(3_600)).toEqual([24]);
    const { items } = await node.metrics.endpoints("24h");
    expect(items).toMatchObject([{ procedure: "auth.me", calls: 24 }]);
  });

  test("a node that begins while nothing can be saved joins what it had before", async () => {
    const first = await boot("again");
    call(first, "auth.me", 10);
    await take(first);
    await first.stop();
    await database.database.execute(sql`alter table metric_samples rename to away`);
    const second = await boot("again");
    call(second, "auth.me", 10);
    clock.advance({ seconds: 600 });
    await take(second);
    await database.database.execute(sql`alter table away rename to metric_samples`);
    clock.advance({ seconds: 30 });
    await take(second);
    const rows = await samplesOf(database, "again");
    const of = (width: number) => rows.filter(({ seconds }) => seconds === width).map(({ values }) => values.api_calls);
    expect(of(3_600)).toEqual([2]);
    expect(of(300)).toEqual([1, 1]);
  });

  test.each([
    ["24h", 300, 288],
    ["7d", 3_600, 168],
  ] as const)("%s is read in steps of %i seconds", async (range, seconds, length) => {
    const node = await boot("one");
    clock.advance({ seconds: 3 * seconds });
    await take(node);
    const read = await node.metrics.series(range);
    expect(read.stepMs).toBe(seconds * 1_000);
    const calls = read.series.find(({ name }) => name === "api_calls");
    expect(calls?.values).toHaveLength(length);
    expect(calls?.values.slice(-4)).toEqual([0, null, null, 0]);
  });

  test("calls are counted by procedure, over all nodes, with their errors by reason", async () => {
    const [one, two] = [await boot("one"), await boot("two")];
    for (let count = 0; count < 98; count++) call(one, "chat.send", 2);
    call(two, "chat.send", 800, "internal");
    call(two, "chat.send", 800, "not_found");
    for (const node of [one, two]) await take(node);
    for (const range of ["1h", "24h", "7d"] as const) {
      const { items } = await one.metrics.endpoints(range);
      expect(items).toHaveLength(1);
      const [send] = items;
      expect(send).toMatchObject({ procedure: "chat.send", calls: 100, errors: 2, reasons: { internal: 1, not_found: 1 } });
      expect(send?.meanMs).toBeCloseTo(17.96);
      expect(send?.p50Ms).toBeLessThanOrEqual(2.5);
      expect(send?.p99Ms).toBeGreaterThan(500);
      expect(send?.p99Ms).toBeLessThanOrEqual(800);
    }
  });

  test("old rows are swept by their width, by one node at a time", async () => {
    const node = await boot("one");
    const now = clock.now().getTime();
    const day = 24 * hour;
    const kept = { 30: day, 300: 7 * day, 3600: 30 * day };
    for (const [seconds, limit] of Object.entries(kept)) {
      for (const age of [limit - 2 * hour, limit + 2 * hour]) {
        const at = new Date(now - age * 1_000).toISOString();
        await database.database.execute(
          sql`insert into metric_samples values (${Number(seconds)}, ${at}::timestamptz, 'old', 1, '{}', '{}')`,
        );
        await database.database.execute(
          sql`insert into endpoint_samples (seconds, at, node, procedure, total_seconds, most_seconds, counts, errors)
            values (${Number(seconds)}, ${at}::timestamptz, 'old', 'auth.me', 1, 1, '{1}', '{}')`,
        );
      }
    }
    const left = () =>
      rowsOf(
        database,
        sql`select seconds, (select count(*)::int from endpoint_samples as each where each.seconds = metric_samples.seconds) as calls
          from metric_samples where node = 'old' order by seconds`,
      );
    if (kind === "postgres") {
      await database.database.transaction(async (other) => {
        await other.execute(sql`select pg_advisory_xact_lock(${sql.raw(advisoryLocks.metricsSweep)})`);
        await node.round("sweep metrics");
        expect(await left()).toHaveLength(6);
      });
    }
    await node.round("sweep metrics");
    expect(await left()).toEqual([30, 300, 3_600].map((seconds) => ({ seconds, calls: 1 })));
  });

  test("current is every node that has been heard of lately; connections are summed", async () => {
    const [one, two] = [await boot("one"), await boot("two")];
    for (const [node, sockets] of [
      [one, 3],
      [two, 4],
    ] as const) {
      node.sampler.include(() => ({ sockets, subscriptions: 2 * sockets }));
      await take(node);
    }
    const current = await one.metrics.current();
    expect(current.nodes.map(({ name }) => name)).toEqual(["one", "two"]);
    expect(current.nodes[0]?.details).toMatchObject({ version: "0.0.0", cores: expect.any(Number), startedAt: expect.any(Date) });
    expect(current.units).toMatchObject({ process_memory: "bytes", cpu_usage: "percent" });
    expect(current.database?.bytes).toBeGreaterThan(1_000_000);
    const connections = await one.metrics.connections();
    expect(connections).toMatchObject({ sockets: 7, subscriptions: 14, runs: 0 });
    expect(connections.nodes).toHaveLength(2);
    clock.advance({ seconds: 180 });
    expect((await one.metrics.current()).nodes).toEqual([]);
  });

  test("people and sessions that were here lately are counted, and rows are estimated", async () => {
    const node = await boot("one", { soleWriter: kind === "pglite" });
    // Postgres does it by itself, some time.
    const analyze = () => database.database.execute(sql`analyze users`);
    if (kind === "postgres") await analyze();
    const before = (await node.metrics.current()).database?.rows.users ?? 0;
    const { actor } = await node.person();
    await take(node);
    expect(node.sampler.latest()?.values).toMatchObject({ active_users: expect.any(Number) });
    const active = node.sampler.latest()?.values.active_users ?? 0;
    expect(active).toBeGreaterThan(0);
    await node.sessions.endAll(actor, testOrigin);
    await take(node);
    expect(node.sampler.latest()?.values.active_users).toBe(active - 1);
    // An embedded one takes a table at a time.
    const estimated = async () => {
      await (kind === "pglite" ? node.round("estimate rows") : analyze());
      return (await node.metrics.current()).database?.rows.users;
    };
    await expect.poll(estimated, { timeout: 10_000 }).toBeGreaterThan(before);
  });
});
