import { databaseKinds, openTestDatabase, type TestDatabase } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMeters } from "../metrics/meters.ts";
import type { Scope } from "../ports.ts";
import { meteredDatabase } from "./metered.ts";
import { statement, value } from "./statement.ts";

const divide = statement<{ by: number }, { quotient: number }>("divide", sql`select 12 / ${value("by")}::int as quotient`);

describe.each(databaseKinds)("statements on %s", (kind) => {
  let plain: TestDatabase;
  beforeAll(async () => {
    plain = await openTestDatabase(kind);
  });
  afterAll(() => plain.close());

  function metered() {
    const meters = createMeters();
    const scope = { requestId: "one", databaseMs: 0, vendorMs: 0, span: null };
    const scopes = { current: () => scope, run: <Result>(_: Scope, work: () => Result) => work() };
    const count = () =>
      Array.from(meters.statements.cells())
        .flatMap(({ counts }) => counts)
        .reduce((sum, each) => sum + each, 0);
    const failed = () => Array.from(meters.statementErrors.cells(), (cell) => cell.value);
    return { database: meteredDatabase(plain.database, { scopes, meters }), meters, scope, count, failed };
  }

  test("each is counted, also in a transaction, and its time belongs to the call that waits for it", async () => {
    const { database, meters, scope, count, failed } = metered();
    expect(await divide(database, { by: 3 })).toEqual([{ quotient: 4 }]);
    await database.transaction(async (transaction) => {
      expect(await divide(transaction, { by: 4 })).toEqual([{ quotient: 3 }]);
    });
    expect(count()).toBe(2);
    expect(failed()).toEqual([]);
    expect(scope.databaseMs).toBeGreaterThan(0);
    expect(meters.underWay.statements).toBe(0);
  });

  test("one that fails is counted as such, and its error has its name", async () => {
    const { database, meters, count, failed } = metered();
    await expect(divide(database, { by: 0 })).rejects.toMatchObject({ statement: "divide", cause: { code: "22012" } });
    expect([count(), failed(), meters.underWay.statements]).toEqual([1, [1], 0]);
  });
});
