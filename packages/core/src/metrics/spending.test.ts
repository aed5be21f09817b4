import { databaseKinds, openTestDatabase, type TestDatabase, testServices } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Spent {
  user: string | null;
  model?: string;
  run: number;
  attempt?: number;
  micros: number | null;
  days?: number;
}

describe.each(databaseKinds)("what was spent, on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let ann: string;
  let bob: string;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database);
    const [first, second] = [await node.person(), await node.person()];
    [ann, bob] = [first.user.id, second.user.id];
    await database.database.execute(sql`update users set plan = 'pro', display_name = 'Bob' where id = ${bob}`);
    await spend({ user: ann, run: 1, micros: 1_000 });
    await spend({ user: ann, run: 1, attempt: 2, micros: 500 });
    await spend({ user: ann, run: 2, micros: 100, days: 3 });
    await spend({ user: bob, run: 3, micros: 2_000, model: "small" });
    await spend({ user: bob, run: 4, micros: null, model: "unpriced" });
    await spend({ user: null, run: 5, micros: 10 });
    await spend({ user: null, run: 6, micros: 20 });
    await spend({ user: ann, run: 7, micros: 1_000_000, days: 31 });
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  async function spend({ user, model = "large", run, attempt = 1, micros, days = 0 }: Spent) {
    const id = `01a1fd8a-0000-7000-8000-00000000000${run}`;
    const at = new Date(node.clock.now().getTime() - days * 24 * 3_600_000 - 1_000).toISOString();
    await database.database.execute(
      sql`insert into usage_ledger values (${id}, ${attempt}, ${user}, 'vendor', ${model}, 'completed', 10, 20, 30, 40, false, ${micros}, ${at}::timestamptz)`,
    );
  }

  test("by user: a price that is not known makes the cost unknown, and accounts that are gone are one", async () => {
    const { items } = await node.metrics.usage({ range: "7d", by: "user" });
    expect(items).toEqual([
      { key: ann, label: expect.any(String), answers: 2, calls: 3, tokens: 300, costMicros: 1_600 },
      { key: bob, label: "Bob", answers: 2, calls: 2, tokens: 200, costMicros: null },
      { key: null, label: "deleted accounts", answers: 2, calls: 2, tokens: 200, costMicros: 30 },
    ]);
  });

  test("by plan, model and provider", async () => {
    const by = async (group: "plan" | "model" | "provider") =>
      (await node.metrics.usage({ range: "24h", by: group })).items.map(({ key, calls, costMicros }) => [key, calls, costMicros]);
    expect((await by("plan")).sort()).toEqual(
      [
        ["free", 2, 1_500],
        ["pro", 2, null],
        [null, 2, 30],
      ].sort(),
    );
    expect(await by("model")).toEqual([
      ["large", 4, 1_530],
      ["small", 1, 2_000],
      ["unpriced", 1, null],
    ]);
    expect(await by("provider")).toEqual([["vendor", 6, null]]);
  });

  test("by day, the newest first; what is older than the range is not in it", async () => {
    const { items } = await node.metrics.usage({ range: "30d", by: "day" });
    expect(items.map(({ calls }) => calls)).toEqual([6, 1]);
    for (const { key } of items) expect(key).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const month = await node.metrics.usage({ range: "30d", by: "provider" });
    expect(month.items).toMatchObject([{ calls: 7 }]);
  });
});
