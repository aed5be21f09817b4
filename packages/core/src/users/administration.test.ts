import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { and, eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { roles, users } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("administration on %s", (kind) => {
  let node: TestAccounts;
  let administration: TestAccounts["administration"];
  beforeAll(async () => {
    node = await testAccounts(kind);
    ({ administration } = node);
    await node.database.insert(roles).values({ name: "support", permissions: ["users.manage"] });
  });
  afterEach(async () => {
    await node.database.update(users).set({ role: "user" }).where(eq(users.role, "admin"));
  });
  afterAll(() => node.stop());

  test("suspending and restoring are told to every node in the same statement, and recorded", async () => {
    const admin = await node.person({ role: "admin" });
    const { id } = await node.person();
    node.applied.length = 0;
    expect(await administration.users.suspend(admin.actor, id, origin)).toMatchObject({ id, status: "suspended" });
    expect(node.applied).toEqual([{ kind: "rights_changed", userId: id }]);
    expect(await node.told(id)).toMatchObject([{ kind: "rights_changed" }]);
    expect(await administration.users.restore(admin.actor, id, origin)).toMatchObject({ id, status: "active" });
    expect(await node.told(id)).toHaveLength(2);
    const target = `user:${id}`;
    expect(await node.audited(admin.id)).toMatchObject([
      { action: "account.suspend", target, outcome: "done", address: "192.0.2.7" },
      { action: "account.restore", target, outcome: "done" },
    ]);
  });

  test("a role changes to one that exists", async () => {
    const admin = await node.person({ role: "admin" });
    const { id } = await node.person();
    const changed = await administration.users.setRole(admin.actor, { id, role: "operator" }, origin);
    expect(changed).toMatchObject({ id, role: "operator" });
    expect(await node.told(id)).toMatchObject([{ kind: "rights_changed" }]);
    const unknown = administration.users.setRole(admin.actor, { id, role: "king" }, origin);
    await expect(unknown).rejects.toMatchObject({ reason: "invalid_input", issues: [{ path: "role" }] });
    expect(await node.audited(admin.id)).toMatchObject([
      { action: "account.role", outcome: "done", details: { role: "operator" } },
      { action: "account.role", outcome: "refused", details: { role: "king", reason: "invalid_input" } },
    ]);
  });

  test("an account that does not exist is not found", async () => {
    const { actor } = await node.person({ role: "admin" });
    const { users: accounts } = administration;
    for (const call of [
      () => accounts.suspend(actor, missing, origin),
      () => accounts.restore(actor, missing, origin),
      () => accounts.setRole(actor, { id: missing, role: "user" }, origin),
    ]) {
      await expect(call()).rejects.toMatchObject({ reason: "not_found" });
    }
  });

  test("nobody changes their own rights", async () => {
    const { actor, id } = await node.person({ role: "admin" });
    await node.person({ role: "admin" });
    for (const mine of [id, id.toUpperCase()]) {
      await expect(administration.users.suspend(actor, mine, origin)).rejects.toMatchObject({ reason: "conflict" });
    }
    await expect(administration.users.setRole(actor, { id, role: "user" }, origin)).rejects.toMatchObject({ reason: "conflict" });
    expect(await node.told(id)).toEqual([]);
  });

  test("nobody reaches above themselves", async () => {
    const admin = await node.person({ role: "admin" });
    const support = await node.person({ role: "support" });
    const { id } = await node.person();
    const actor = { ...support.actor, permissions: ["users.manage"] };
    const { users: accounts } = administration;
    for (const call of [
      () => accounts.suspend(actor, admin.id, origin),
      () => accounts.setRole(actor, { id: admin.id, role: "user" }, origin),
      () => accounts.setRole(actor, { id, role: "admin" }, origin),
      () => accounts.setRole(actor, { id, role: "operator" }, origin),
    ]) {
      await expect(call()).rejects.toMatchObject({ reason: "forbidden" });
    }
    await accounts.setRole(actor, { id, role: "support" }, origin);
    await accounts.suspend(actor, id, origin);
  });

  async function removeInRing(everybody: Awaited<ReturnType<typeof node.person>>[]) {
    const { users: accounts } = administration;
    const results = await Promise.allSettled(
      everybody.map(({ actor }, index) => {
        const { id } = everybody[(index + 1) % everybody.length] ?? { id: missing };
        return index % 2 ? accounts.suspend(actor, id, origin) : accounts.setRole(actor, { id, role: "user" }, origin);
      }),
    );
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    const left = await node.database
      .select()
      .from(users)
      .where(and(eq(users.role, "admin"), eq(users.status, "active")));
    return { refused, left };
  }

  test("of two administrators who remove each other at once, one stays", async () => {
    for (let round = 0; round < 5; round++) {
      const two = await Promise.all([node.person({ role: "admin" }), node.person({ role: "admin" })]);
      const { refused, left } = await removeInRing(two);
      expect(refused).toMatchObject([{ reason: "forbidden" }]);
      expect(left).toHaveLength(1);
      await node.database.update(users).set({ role: "user" }).where(eq(users.role, "admin"));
    }
  });

  test("of six in a ring, whoever is to be removed by somebody already removed stays: one or more", async () => {
    const everybody = await Promise.all(Array.from({ length: 6 }, () => node.person({ role: "admin" })));
    const { refused, left } = await removeInRing(everybody);
    for (const error of refused) expect(error).toMatchObject({ reason: "forbidden" });
    expect(left.length).toBeGreaterThanOrEqual(1);
    expect(left).toHaveLength(refused.length);
  });

  test("accounts are listed in pages and found by parts of their names", async () => {
    const { actor } = await node.person({ role: "admin" });
    const made: string[] = [];
    for (const name of ["Zoë 100%", "zoe_under", "ZOË third"]) {
      const key = `${name.toLowerCase().replace(/\W/g, "")}-${kind}`;
      const { id } = await node.person({ displayName: name, username: key, usernameKey: key, email: `${key}@Example.com` });
      made.unshift(id);
    }
    const find = async (search: string) => (await administration.users.list(actor, { search })).items.map(({ id }) => id);
    expect(await find("ZOË")).toEqual([made[2], made[0]].sort().reverse());
    expect(await find("100%")).toEqual([made[2]]);
    expect(await find("e_u")).toEqual([made[1]]);
    expect(await find("\\")).toEqual([]);

    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page: Awaited<ReturnType<typeof administration.users.list>> = await administration.users.list(actor, {
        limit: 2,
        cursor,
      });
      seen.push(...page.items.map(({ id }) => id));
      expect(page.items.length).toBeLessThanOrEqual(2);
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    const all = await node.database.select({ id: users.id }).from(users);
    expect(seen).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    expect(JSON.stringify(await administration.users.list(actor, {}))).not.toMatch(/argon2|hash/i);
  });

  test("the audit log is read in pages, by who and by what", async () => {
    const { actor, id: actorId } = await node.person({ role: "admin" });
    const { id } = await node.person();
    for (let round = 0; round < 2; round++) {
      await administration.users.suspend(actor, id, origin);
      await administration.users.restore(actor, id, origin);
    }
    await node.background.settled();
    const first = await administration.audit.list(actor, { actorId, limit: 3 });
    expect(first.items.map(({ action }) => action)).toHaveLength(3);
    expect(first.items[0]).toMatchObject({ actorId, target: `user:${id}`, outcome: "done", createdAt: expect.any(Date) });
    const second = await administration.audit.list(actor, { actorId, limit: 3, cursor: first.nextCursor ?? undefined });
    expect(second).toMatchObject({ items: [{}], nextCursor: null });
    const suspended = await administration.audit.list(actor, { actorId, action: "account.suspend" });
    expect(suspended.items).toHaveLength(2);
  });
});
