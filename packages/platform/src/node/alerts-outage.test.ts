import { randomBytes } from "node:crypto";
import {
  collectingChannel,
  collectingLog,
  migrationsFolder,
  openLine,
  openTestDatabase,
  type TestDatabase,
  testServices,
  testSystem,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";

const redisUrl = process.env.TEST_REDIS_URL;

/** Nodes of their own, each with its own line to one Postgres, and one Redis. */
describe.skipIf(!process.env.TEST_DATABASE_URL || !redisUrl)("alerts while the way to the database is troubled", () => {
  let kept: TestDatabase;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    kept = await openTestDatabase("postgres");
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    await kept.database.execute(sql`delete from alerts`);
  });
  afterAll(() => kept.close());

  async function start(name: string) {
    const line = await openLine(new URL(kept.url ?? ""));
    const open = await openPostgres({ url: line.url, migrations: migrationsFolder, poolSize: 2 });
    const redis = await openRedis(redisUrl ?? "", collectingLog());
    const channel = collectingChannel();
    const node = testServices(open, {
      system: testSystem(name),
      channels: [channel],
      rateLimiter: redis.rateLimiter,
      dependencies: [{ name: "database", isNeeded: true, ping: open.ping }],
    });
    closers.push(
      () => line.close(),
      () => redis.close(),
      () => open.close(),
      () => node.stop(),
    );
    await node.background.settled();
    const read = async () => {
      node.clock.advance({ seconds: 30 });
      await node.round("take readings");
      await node.background.settled();
    };
    return { ...node, line, read, notices: channel.notices };
  }

  const suffix = randomBytes(4).toString("hex");

  test("a database that is gone is told once by two nodes, and stored once when it is back", async () => {
    const nodes = [await start(`a-${suffix}`), await start(`b-${suffix}`)];
    const all = () => nodes.flatMap(({ notices }) => notices.map(({ state, alert }) => `${state} ${alert.rule}`));
    const { rateLimiter } = nodes[0]?.ports ?? {};
    // What a run of this test just before has told is no business of this one.
    await rateLimiter?.reset("alert", "database_away database", { count: 1, windowMs: 47_000 });
    for (const { line } of nodes) line.cut();
    await Promise.all(nodes.map((node) => node.read()));
    expect(all()).toEqual(["opened database_away"]);
    for (const { line } of nodes) line.restore();
    for (let round = 0; round < 2; round++) await Promise.all(nodes.map((node) => node.read()));
    expect(all().sort()).toEqual(["opened database_away", "resolved database_away"]);
    const stored = await nodes[0]?.alerts.list({});
    const ids = nodes.flatMap(({ notices }) => notices.map(({ alert }) => alert.id));
    expect(stored?.items).toMatchObject([{ rule: "database_away", id: ids[0], resolvedAt: expect.any(Date) }]);
    expect(new Set(ids).size).toBe(1);
  });

  test("a database that no longer answers is told while everything else still waits for it", async () => {
    const node = await start(`c-${suffix}`);
    await node.ports.rateLimiter.reset("alert", "database_away database", { count: 1, windowMs: 47_000 });
    node.line.stall();
    const round = node.read();
    await expect.poll(() => node.notices.map(({ state }) => state), { timeout: 10_000 }).toEqual(["opened"]);
    node.line.restore();
    await round;
    await node.read();
    expect(node.notices.map(({ state, alert }) => `${state} ${alert.rule}`)).toEqual([
      "opened database_away",
      "resolved database_away",
    ]);
  });
});
