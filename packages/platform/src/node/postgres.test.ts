import { migrationsFolder, openLine, openTestDatabase } from "@parley/testing";
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { openPostgres } from "./postgres.ts";

describe.skipIf(!process.env.TEST_DATABASE_URL)("a connection to Postgres that breaks", () => {
  // The driver took a connection that was gone for a busy one: it was never opened again, and in the end there was none.
  test("while a transaction waits is replaced, each time", async () => {
    await using kept = await openTestDatabase("postgres");
    const line = await openLine(new URL(kept.url ?? ""));
    const open = await openPostgres({ url: line.url, migrations: migrationsFolder, poolSize: 2 });
    const sleepers = () =>
      kept.database.execute(
        sql`select pid from pg_stat_activity where datname = current_database() and query like 'select pg_sleep%' and state = 'active'`,
      );
    for (let round = 1; round <= 3; round++) {
      const transaction = open.database.transaction((inside) => inside.execute(sql`select pg_sleep(60)`));
      const failed = expect(transaction).rejects.toThrow();
      await expect.poll(sleepers, { timeout: 5_000 }).toHaveLength(round);
      line.cut();
      await failed;
      line.restore();
      await expect(open.ping()).resolves.toBeUndefined();
    }
    await open.close();
    await line.close();
  });

  // The driver kept what it had not sent yet, and a timer that had been cleared: on its next connection nothing was sent any more.
  test("before a statement was sent is as good as new when it is open again", async () => {
    await using kept = await openTestDatabase("postgres");
    const line = await openLine(new URL(kept.url ?? ""));
    const open = await openPostgres({ url: line.url, migrations: migrationsFolder, poolSize: 2 });
    const sleep = (seconds: number) => open.database.execute(sql`select pg_sleep(${seconds}::float)`);
    for (let round = 0; round < 6; round++) {
      await Promise.all([sleep(0.05), sleep(0.05)]);
      // Asked in the very moment in which one connection is found to be closed, and the other one is not yet.
      const again = sleep(60).catch(() => open.ping().catch(() => {}));
      await sleep(0.05);
      line.cut();
      await again;
      line.restore();
      await expect(Promise.all([sleep(0), sleep(0)])).resolves.toHaveLength(2);
    }
    await open.close();
    await line.close();
  });

  // A network that forgets a connection ends nothing: what was asked of it had no answer for as long as the kernel tried.
  test("that says nothing more is given up, and replaced", { timeout: 60_000 }, async () => {
    await using kept = await openTestDatabase("postgres");
    const line = await openLine(new URL(kept.url ?? ""));
    const open = await openPostgres({ url: line.url, migrations: migrationsFolder, poolSize: 1 });
    await open.ping();
    line.mute();
    const asked = [open.ping(), open.ping(), open.database.transaction((inside) => inside.execute(sql`select 1`))];
    for (const each of await Promise.allSettled(asked)) expect(each).toMatchObject({ status: "rejected" });
    line.restore();
    await expect(open.ping()).resolves.toBeUndefined();
    await open.close();
    await line.close();
  });

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
