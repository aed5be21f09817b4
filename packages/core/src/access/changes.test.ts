import { databaseKinds, openTestDatabase, testServices } from "@parley/testing";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import type { Background } from "../ports.ts";
import { createAccessChanges } from "./changes.ts";

const userId = "01a1fd8a-0000-7000-8000-000000000001";

test.each(databaseKinds)("a node that could not read for long hears what it has missed, each once, on %s", async (kind) => {
  await using database = await openTestDatabase(kind);
  const node = testServices(database);
  let readNew = async () => {};
  const background: Background = {
    run() {},
    every(name, _, work) {
      if (name.startsWith("read")) readNew = work;
    },
    settled: async () => {},
  };
  const access = createAccessChanges({ database: database.database, clock: node.clock, background });
  const heard: string[] = [];
  access.onChange(({ kind: what }) => heard.push(what));
  await readNew();
  expect(access.isFresh()).toBe(true);
  node.clock.advance({ seconds: 60 });
  expect(access.isFresh()).toBe(false);
  const old = sql`now() - interval '1 hour'`;
  await database.database.execute(
    sql`insert into access_changes (kind, user_id, created_at) values ('rights_changed', ${userId}::uuid, ${old})`,
  );
  await readNew();
  await readNew();
  await database.database.execute(sql`insert into access_changes (kind, user_id) values ('profile_changed', ${userId}::uuid)`);
  await readNew();
  expect(heard).toEqual(["rights_changed", "profile_changed"]);
  const position = access.position() ?? "";
  await database.database.execute(sql`insert into access_changes (kind, user_id) values ('rights_changed', ${userId}::uuid)`);
  const next = createAccessChanges({ database: database.database, clock: node.clock, background });
  next.onChange(({ kind: what }) => heard.push(`next ${what}`));
  next.goOnFrom(position);
  await readNew();
  expect(heard.at(-1)).toBe("next rights_changed");
  await node.stop();
});
