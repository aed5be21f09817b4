import { openTestDatabase } from "@parley/testing";
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";

describe.skipIf(!process.env.TEST_DATABASE_URL)("a connection to Postgres that breaks", () => {
  // The driver wrote the rollback to a socket that was gone, outside of any promise: that ended the process.
  test("in the middle of a transaction fails that transaction, and nothing else", async () => {
    await using open = await openTestDatabase("postgres");
    const { database } = open;
    for (let round = 0; round < 5; round++) {
      const transaction = database.transaction(async (inside) => {
        const rows: unknown = await inside.execute(sql`select pg_backend_pid() as pid`);
        const pid = Array.isArray(rows) ? Number(rows[0].pid) : 0;
        await database.execute(sql`select pg_terminate_backend(${pid}::int)`);
        await inside.execute(sql`select pg_sleep(5)`);
      });
      await expect(transaction).rejects.toThrow();
      await expect(open.ping()).resolves.toBeUndefined();
    }
  });
});
