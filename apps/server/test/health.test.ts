import { databaseKinds, openLine, openTestDatabase } from "@parley/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { processes } from "./process-kit.ts";

const { started, signUp } = processes();
const token = "a-metrics-token-for-tests";

// Not on workerd: it has no Redis, and its driver goes on trying for minutes when the database is cut off.
describe.skipIf(!databaseKinds.includes("postgres"))("a server whose services come and go", () => {
  async function open() {
    const database = await openTestDatabase("postgres");
    const line = await openLine(new URL(database.url ?? ""));
    const redis = await openLine(new URL(process.env.TEST_REDIS_URL ?? "redis://127.0.0.1:1"));
    onTestFinished(async () => {
      await Promise.all([line.close(), redis.close()]);
      await database.close();
    });
    const env = { DATABASE_URL: line.url, METRICS_TOKEN: token, JWT_SECRET: "for-tests-only-0123456789-0123456789" };
    const server = await started({ ...env, REDIS_URL: redis.url });
    const ask = async (path: string, bearer?: string) => {
      const response = await fetch(`${server.url}${path}`, bearer ? { headers: { authorization: `Bearer ${bearer}` } } : {});
      return { code: response.status, ...(await response.json()) };
    };
    return { server, line, redis, ask };
  }

  test("says what is away, to whom it concerns, and finds it again by itself", async () => {
    const { server, line, redis, ask } = await open();
    const founder = await signUp(server);
    const all = { database: { status: "ok" }, migrations: { status: "ok" }, redis: { status: "ok" }, eventLog: { status: "ok" } };
    const parts = ["database", "disk", "eventLog", "memory", "migrations", "providers", "redis"];
    for (const bearer of [token, founder]) {
      const told = await ask("/api/v1/health", bearer);
      expect(told).toMatchObject({ code: 200, status: "ok", environment: "development", checks: all });
      expect(Object.keys(told.checks).sort()).toEqual(parts);
      for (const name of parts) expect(told.checks[name].ms).toBeTypeOf("number");
    }
    expect(await ask("/health")).toEqual({
      code: 200,
      status: "ok",
      version: expect.any(String),
      environment: "development",
      uptime: expect.any(Number),
    });

    redis.cut();
    const withoutRedis = {
      code: 200,
      status: "degraded",
      checks: { redis: { status: "degraded" }, eventLog: { status: "degraded" } },
    };
    await expect.poll(() => ask("/health", token), { timeout: 10_000 }).toMatchObject(withoutRedis);
    expect(await ask("/ready")).toMatchObject({ code: 200, status: "ok" });

    line.cut();
    await expect.poll(() => ask("/ready"), { timeout: 10_000 }).toMatchObject({ code: 503, status: "down" });
    const told = await ask("/health", token);
    expect(told).toMatchObject({ code: 503, status: "down", checks: { database: { status: "down", detail: "no answer" } } });
    expect(await ask("/health", founder)).toMatchObject({ code: 503, status: "down" });
    expect(await ask("/live")).toMatchObject({ code: 200, status: "ok" });

    line.restore();
    redis.restore();
    await expect.poll(() => ask("/ready"), { timeout: 20_000 }).toMatchObject({ code: 200, status: "ok" });
    await expect.poll(() => ask("/health", token), { timeout: 20_000 }).toMatchObject({ code: 200, status: "ok", checks: all });
  }, 90_000);
});
