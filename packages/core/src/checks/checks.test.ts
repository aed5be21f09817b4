import { databaseKinds, openTestDatabase, type TestDatabase, testServices } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Dependency } from "../ports.ts";
import { diskCheck, memoryCheck, providersCheck } from "./room.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase("pglite");
});
afterAll(() => database.close());

function testChecks(dependencies: Dependency[], on = database) {
  const { background, checks, clock, stop } = testServices(on, { dependencies });
  onTestFinished(stop);
  return { ...checks, clock, settled: () => background.settled() };
}

/** One that counts how often it is asked, and is away when it is told to be. */
function counted(name: Dependency["name"], isNeeded: boolean) {
  const dependency = {
    name,
    isNeeded,
    asked: 0,
    isAway: false,
    ping: async () => {
      dependency.asked++;
      if (dependency.isAway) throw new Error("away");
    },
  };
  return dependency;
}

describe.each(databaseKinds)("on %s", (kind) => {
  test("a database that answers and has its migrations is ready; one that lacks the last of them is not", async () => {
    await using database = await openTestDatabase(kind);
    const { ping, isMigrated } = database;
    const { ready, health, clock } = testChecks([{ name: "database", isNeeded: true, ping, isMigrated }], database);
    expect(await ready()).toMatchObject({ status: "ok", checks: { database: { status: "ok" }, migrations: { status: "ok" } } });
    await database.database.execute(
      sql`delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)`,
    );
    clock.advance({ seconds: 2 });
    expect(await ready()).toMatchObject({
      status: "down",
      checks: { database: { status: "ok" }, migrations: { status: "down" } },
    });
    expect((await health()).status).toBe("down");
  });
});

test("an optional part that is away degrades, and what is not set up is said to be missed by nobody", async () => {
  const redis = counted("redis", false);
  const { health, ready, clock } = testChecks([counted("database", true), redis]);
  expect(await health()).toMatchObject({ status: "ok", checks: { redis: { status: "ok" }, eventLog: { status: "ok" } } });
  redis.isAway = true;
  clock.advance({ seconds: 2 });
  const found = await health();
  expect(found).toMatchObject({
    status: "degraded",
    checks: { redis: { status: "degraded", detail: expect.stringContaining("works without it") } },
  });
  expect((await ready()).status).toBe("ok");
  const without = await testChecks([counted("database", true)]).health();
  expect(without).toMatchObject({
    status: "ok",
    checks: { redis: { status: "ok", detail: "not set up: everything works without it" } },
  });
  for (const { ms } of Object.values(found.checks)) expect(ms).toBeGreaterThanOrEqual(0);
});

test("a hundred probes in a second ask once, and so do a hundred at once", async () => {
  const counting = counted("database", true);
  const { ready, health, clock, settled } = testChecks([counting]);
  await settled();
  // The readings have asked for themselves.
  counting.asked = 0;
  await Promise.all(Array.from({ length: 100 }, (_, time) => (time % 2 ? ready() : health())));
  for (let time = 0; time < 100; time++) await ready();
  expect(counting.asked).toBe(1);
  clock.advance({ seconds: 2 });
  await ready();
  expect(counting.asked).toBe(2);
});

test("a service that never answers is asked again only after a while", async () => {
  let asked = 0;
  const hanging = () => {
    asked++;
    return new Promise<void>(() => {});
  };
  const { ready, clock } = testChecks([{ name: "database", isNeeded: true, ping: hanging }]);
  // The readings have asked: whoever asks as well waits with them.
  expect((await ready()).status).toBe("down");
  clock.advance({ seconds: 2 });
  expect((await ready()).status).toBe("down");
  expect(asked).toBe(1);
  clock.advance({ seconds: 10 });
  expect((await ready()).status).toBe("down");
  expect(asked).toBe(2);
});

test("a server that drains is down at once, and asks nobody for it", async () => {
  const counting = counted("database", true);
  const { ready, health, drain } = testChecks([counting]);
  expect((await ready()).status).toBe("ok");
  drain();
  expect(await ready()).toMatchObject({ status: "down", checks: { draining: { status: "down" } } });
  expect(await health()).toMatchObject({ status: "down", checks: { database: { status: "ok" }, draining: { status: "down" } } });
});

test("memory and disk warn over nine tenths, and providers when one cannot be asked", () => {
  const memory = { resident: 1, heapLimit: 100, machineUsed: null, machineTotal: null };
  expect(memoryCheck({ ...memory, heapUsed: 90 }, 1).status).toBe("ok");
  expect(memoryCheck({ ...memory, heapUsed: 91 }, 1)).toMatchObject({
    status: "degraded",
    detail: expect.stringContaining("heap at 91 %"),
  });
  expect(memoryCheck({ ...memory, heapUsed: null }, 1).status).toBe("ok");
  expect(diskCheck({ free: 11, total: 100 }, 1).status).toBe("ok");
  expect(diskCheck({ free: 9, total: 100 }, 1)).toMatchObject({ status: "degraded", detail: "91 % used" });
  expect(diskCheck(null, 1).status).toBe("ok");
  const gemini = { name: "gemini", healthy: true };
  expect(providersCheck([gemini]).status).toBe("ok");
  expect(providersCheck([gemini, { name: "anthropic", healthy: false }])).toMatchObject({
    status: "degraded",
    detail: "cannot be asked now: anthropic",
  });
});
