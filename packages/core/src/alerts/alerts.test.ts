import type { AlertNotice, Ports } from "@parley/core/ports";
import {
  collectingChannel,
  databaseKinds,
  openTestDatabase,
  type TestDatabase,
  testDependency,
  testServices,
  testSystem,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AlertRule, usualRules } from "./rules.ts";

interface Given {
  name?: string;
  rules?: readonly AlertRule[];
  rateLimiter?: Ports["rateLimiter"];
}

const only = (...names: string[]) => usualRules.filter(({ name }) => names.includes(name));
const told = (notices: readonly AlertNotice[]) => notices.map(({ state, alert }) => `${state} ${alert.rule}`);

describe.each(databaseKinds)("alerts on %s", (kind) => {
  let database: TestDatabase;
  const running: { stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.stop()));
    await database.database.execute(sql`delete from alerts`);
  });
  afterAll(() => database.close());

  async function start({
    name = "node-a",
    rules = only("memory", "cpu", "redis_away", "database_away"),
    rateLimiter,
  }: Given = {}) {
    const system = testSystem(name);
    const channel = collectingChannel();
    const away = testDependency("database");
    const redis = testDependency("redis");
    const services = testServices(database, {
      system,
      channels: [channel],
      dependencies: [away, redis],
      alerts: { rules, retryMs: 1 },
      ...(rateLimiter && { rateLimiter }),
    });
    running.push(services);
    await services.background.settled();
    return {
      ...services,
      system,
      notices: channel.notices,
      database: away,
      redis,
      /** Half a minute later, as a rule. */
      async read(seconds = 30) {
        services.clock.advance({ seconds });
        await services.round("take readings");
        await services.background.settled();
      },
      stored: async () => (await services.alerts.list({})).items,
    };
  }

  /** As if nobody had looked for so long. */
  const age = (seconds: number) =>
    database.database.execute(sql`update alerts set seen_at = seen_at - make_interval(secs => ${seconds}::float8)`);

  test("one that is too much opens an alert, which follows the readings and is resolved, each told once", async () => {
    const node = await start();
    node.system.useMemory(0.9);
    await node.read();
    const [opened] = await node.stored();
    expect(opened).toMatchObject({ rule: "memory", subject: "node-a", severity: "warning", value: 90, threshold: 85, unit: "%" });
    expect(opened).toMatchObject({ text: "Memory of node-a is at 90 % (over 85 %)", resolvedAt: null });
    node.system.useMemory(0.95);
    await node.read();
    expect(await node.stored()).toMatchObject([
      { id: opened?.id, openedAt: opened?.openedAt, value: 95, text: "Memory of node-a is at 95 % (over 85 %)" },
    ]);
    expect(told(node.notices)).toEqual(["opened memory"]);
    node.system.useMemory(0.5);
    await node.read();
    await node.read();
    const [resolved] = await node.stored();
    expect(resolved?.resolvedAt?.getTime()).toBeGreaterThan(opened?.openedAt.getTime() ?? 0);
    expect(told(node.notices)).toEqual(["opened memory", "resolved memory"]);
    expect(node.notices.map(({ alert }) => alert.id)).toEqual([opened?.id, opened?.id]);
    expect(await node.alerts.list({ open: true })).toEqual({ items: [], nextCursor: null });
  });

  test("what was resolved a month ago is swept, what is open stays", async () => {
    const node = await start();
    node.system.useMemory(0.9);
    await node.read();
    for (const days of ["29 days", "31 days"]) {
      await database.database.execute(
        sql`insert into alerts (id, rule, subject, severity, text, value, threshold, unit, opened_at, seen_at, resolved_at, quiet)
          select gen_random_uuid(), ${days}, 'node', 'warning', '', 1, 1, '', at, at, at, false
          from (select ${node.clock.now().toISOString()}::timestamptz - ${days}::interval as at) as ended`,
      );
    }
    await node.round("sweep alerts");
    expect((await node.stored()).map(({ rule }) => rule).sort()).toEqual(["29 days", "memory"]);
  });

  test("a rule that asks for a while is not met by one reading", async () => {
    const node = await start();
    node.system.useCpu(0.9);
    await node.read();
    node.system.useCpu(0.1);
    await node.read();
    node.system.useCpu(0.9);
    await node.read();
    expect(node.notices).toEqual([]);
    await node.read();
    expect(told(node.notices)).toEqual(["opened cpu"]);
  });

  test("what several nodes see at once is opened once, and resolved once by the last that saw it", async () => {
    const nodes = await Promise.all(["a", "b", "c", "d"].map((name) => start({ name })));
    const [first] = nodes;
    const everybody = () => nodes.flatMap(({ notices }) => told(notices));
    for (const node of nodes) node.redis.isAway = true;
    await Promise.all(nodes.map((node) => node.read()));
    await Promise.all(nodes.map((node) => node.read()));
    expect(everybody()).toEqual(["opened redis_away"]);
    for (const node of nodes.slice(1)) node.redis.isAway = false;
    for (const node of nodes) await node.read();
    expect(everybody()).toEqual(["opened redis_away"]);
    for (const node of nodes) node.redis.isAway = false;
    await Promise.all(nodes.map((node) => node.read()));
    await Promise.all(nodes.map((node) => node.read()));
    expect(everybody().sort()).toEqual(["opened redis_away", "resolved redis_away"]);
    expect(await first?.stored()).toMatchObject([{ rule: "redis_away", subject: "redis", resolvedAt: expect.any(Date) }]);
  });

  test("soon after its like it is stored and told to nobody, unless it stays", async () => {
    const node = await start();
    const be = async (share: number) => {
      node.system.useMemory(share);
      await node.read();
    };
    for (const share of [0.9, 0.5, 0.9, 0.5, 0.9]) await be(share);
    expect(told(node.notices)).toEqual(["opened memory", "resolved memory"]);
    expect(await node.stored()).toHaveLength(3);
    for (let minute = 0; minute < 10; minute++) await node.read(60);
    expect(told(node.notices)).toEqual(["opened memory", "resolved memory", "opened memory"]);
    await be(0.5);
    expect(told(node.notices).at(-1)).toBe("resolved memory");
  });

  test("a node that was started again goes on with what is open, without a second word", async () => {
    const before = await start();
    before.system.useMemory(0.9);
    before.system.useCpu(0.9);
    await before.read();
    await before.read();
    expect(told(before.notices)).toEqual(["opened memory", "opened cpu"]);
    await before.stop();
    const after = await start();
    expect(told(after.notices).sort()).toEqual(["resolved cpu", "resolved memory"]);
    const again = await start({ name: "node-b" });
    again.system.useMemory(0.9);
    await again.read();
    await again.stop();
    const [open] = (await again.alerts.list({ open: true })).items;
    const busy = testSystem("node-b");
    busy.useMemory(0.92);
    const channel = collectingChannel();
    const restarted = testServices(database, { system: busy, channels: [channel] });
    running.push(restarted);
    await restarted.background.settled();
    expect(channel.notices).toEqual([]);
    expect((await restarted.alerts.list({ open: true })).items).toMatchObject([{ id: open?.id, value: 92 }]);
  });

  test("a rule that was switched off is resolved by the node's next start", async () => {
    const node = await start();
    node.system.useMemory(0.9);
    await node.read();
    await node.stop();
    const after = await start({ rules: only("cpu") });
    expect(told(after.notices)).toEqual(["resolved memory"]);
  });

  test("what a dead node left is resolved by another, once it has had the database for a while", async () => {
    const dead = await start({ name: "dead" });
    const [one, other] = [await start({ name: "one" }), await start({ name: "other" })];
    dead.system.useMemory(0.9);
    await dead.read();
    await dead.stop();
    for (let round = 0; round < 4; round++) await Promise.all([one.read(), other.read()]);
    expect([...one.notices, ...other.notices]).toEqual([]);
    await age(80);
    const fresh = await start({ name: "fresh" });
    await fresh.read();
    expect(fresh.notices).toEqual([]);
    await Promise.all([one.read(), other.read()]);
    expect(told([...one.notices, ...other.notices])).toEqual(["resolved memory"]);
  });

  test("a node that was believed dead tells of its alert again, as of another one", async () => {
    const paused = await start({ name: "paused" });
    const other = await start({ name: "other" });
    paused.system.useMemory(0.9);
    await paused.read();
    for (let round = 0; round < 4; round++) await other.read();
    await age(80);
    await other.read();
    expect(told(other.notices)).toEqual(["resolved memory"]);
    await paused.read(20 * 60);
    expect(told(paused.notices)).toEqual(["opened memory", "opened memory"]);
    expect(new Set(paused.notices.map(({ alert }) => alert.id)).size).toBe(2);
    expect(await paused.stored()).toHaveLength(2);
  });

  test("while the database is away one node tells; once it is back the outage is stored as it was, and told to be over", async () => {
    const first = await start({ name: "a" });
    const { rateLimiter } = first.ports;
    const nodes = [first, await start({ name: "b", rateLimiter }), await start({ name: "c", rateLimiter })];
    const everybody = () => nodes.flatMap(({ notices }) => notices);
    for (const node of nodes) node.database.isAway = true;
    for (const node of nodes) await node.read();
    for (const node of nodes) await node.read();
    expect(told(everybody())).toEqual(["opened database_away"]);
    for (const node of nodes) node.database.isAway = false;
    // Who has told of it comes last.
    for (const node of nodes.toReversed()) await node.read();
    for (const node of nodes.toReversed()) await node.read();
    expect(told(everybody()).sort()).toEqual(["opened database_away", "resolved database_away"]);
    const [outage, ...more] = (await nodes[0]?.stored()) ?? [];
    expect(more).toEqual([]);
    expect(everybody().map(({ alert }) => alert.id)).toEqual([outage?.id, outage?.id]);
    expect(outage).toMatchObject({ rule: "database_away", subject: "database", severity: "critical" });
    expect(outage?.openedAt).toEqual(everybody()[0]?.alert.openedAt);
    const seconds = ((outage?.resolvedAt?.getTime() ?? 0) - (outage?.openedAt.getTime() ?? 0)) / 1_000;
    expect(Math.round(seconds / 10) * 10).toBe(60);
  });

  test("nodes that come back at the same moment store an outage once", async () => {
    const nodes = await Promise.all(["a", "b", "c", "d"].map((name) => start({ name })));
    for (const node of nodes) node.database.isAway = true;
    await Promise.all(nodes.map((node) => node.read()));
    for (const node of nodes) node.database.isAway = false;
    await Promise.all(nodes.map((node) => node.read()));
    expect(await nodes[0]?.stored()).toHaveLength(1);
    // Without a limiter that they share, each has told of it, and of its end under the same id.
    for (const { notices } of nodes) {
      expect(told(notices)).toEqual(["opened database_away", "resolved database_away"]);
      expect(new Set(notices.map(({ alert }) => alert.id)).size).toBe(1);
    }
  });

  test("an alert that is told during an outage is no news after it, and what ended in the outage is resolved as of then", async () => {
    const node = await start();
    node.system.useCpu(0.9);
    await node.read();
    await node.read();
    node.database.isAway = true;
    node.system.useMemory(0.9);
    await node.read();
    node.system.useCpu(0.1);
    await node.read();
    const overAt = node.clock.now().getTime();
    await node.read();
    node.database.isAway = false;
    await node.read();
    const all = ["opened cpu", "opened database_away", "opened memory", "resolved cpu", "resolved database_away"];
    expect(told(node.notices).sort()).toEqual(all);
    const byRule = new Map((await node.stored()).map((alert) => [alert.rule, alert]));
    expect(Math.abs((byRule.get("cpu")?.resolvedAt?.getTime() ?? 0) - overAt)).toBeLessThan(10_000);
    expect(byRule.get("memory")).toMatchObject({
      resolvedAt: null,
      id: node.notices.find(({ alert }) => alert.rule === "memory")?.alert.id,
    });
    node.system.useMemory(0.5);
    await node.read();
    expect(told(node.notices).at(-1)).toBe("resolved memory");
  });

  test("operators hear of it on their devices, others do not", async () => {
    const node = await start();
    const operator = await node.person();
    const other = await node.person();
    await database.database.execute(sql`update users set role = 'admin' where id = ${operator.user.id}`);
    await node.read();
    const heads = () => Promise.all([operator, other].map(({ user }) => node.eventLog.head(`user:${user.id}`)));
    const [operators = 0, others] = await heads();
    node.system.useMemory(0.9);
    await node.read();
    expect(await heads()).toEqual([operators + 1, others]);
  });

  test("are listed by pages, the newest first", async () => {
    const node = await start({ rules: only("memory").map((rule) => ({ ...rule, quietMs: 0 })) });
    for (const share of [0.9, 0.5, 0.9, 0.5, 0.9]) {
      node.system.useMemory(share);
      await node.read();
    }
    const first = await node.alerts.list({ limit: 2 });
    const rest = await node.alerts.list({ limit: 2, cursor: first.nextCursor ?? "" });
    expect(first.items[0]?.resolvedAt).toBeNull();
    expect(rest.nextCursor).toBeNull();
    const times = [...first.items, ...rest.items].map(({ openedAt }) => openedAt.getTime());
    expect(times).toEqual(times.toSorted((left, right) => right - left));
    expect(times).toHaveLength(3);
    expect((await node.alerts.list({ open: false })).items).toHaveLength(2);
  });
});
