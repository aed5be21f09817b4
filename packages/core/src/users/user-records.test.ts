import { databaseKinds, openTestDatabase, type TestDatabase, testOrigin, testServices } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { users } from "../database/schema.ts";

const origin = { address: "127.0.0.1" };
const patiently = { timeout: 10_000, interval: 20 };

describe.each(databaseKinds)("user records on %s", (kind) => {
  let database: TestDatabase;
  let here: ReturnType<typeof testServices>;
  let there: ReturnType<typeof testServices>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
    here = testServices(database);
    there = testServices(database);
    await vi.waitFor(() => expect([here.access.isFresh(), there.access.isFresh()]).toEqual([true, true]), patiently);
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.close();
  });

  const misses = ({ caches }: typeof here) => caches.stats().kinds.find(({ name }) => name === "user")?.misses;

  test("a profile and who one is are read once for both, and are the same as the database's", async () => {
    const { actor, email } = await here.person();
    const before = misses(here) ?? 0;
    const [row] = await database.database.select().from(users).where(eq(users.id, actor.userId));
    for (let count = 0; count < 5; count++) {
      expect(await here.users.profile(actor)).toMatchObject({ email, lastLoginAt: row?.lastLoginAt, createdAt: row?.createdAt });
      expect((await here.auth.me(actor)).user).toEqual({
        id: actor.userId,
        email,
        username: null,
        displayName: row?.displayName,
        role: row?.role,
        plan: "free",
        createdAt: row?.createdAt,
      });
    }
    expect(misses(here)).toBe(before + 1);
  });

  test("what is changed on one node is new on the other: a name, a plan, a sign-in, a verified address", async () => {
    const admin = await here.person();
    const { actor, email, password } = await here.person();
    await database.database.update(users).set({ role: "admin" }).where(eq(users.id, admin.actor.userId));
    const administrator = { ...admin.actor, permissions: ["*"] };
    const first = await there.users.profile(actor);
    const seen = (wanted: object) =>
      vi.waitFor(async () => expect(await there.users.profile(actor)).toMatchObject(wanted), patiently);

    await here.users.update(actor, { displayName: "Ada" }, origin);
    expect(await here.users.profile(actor)).toMatchObject({ displayName: "Ada" });
    await seen({ displayName: "Ada" });

    await here.administration.users.setPlan(administrator, { id: actor.userId, plan: "pro" }, origin);
    await seen({ plan: "pro" });
    expect((await there.auth.me(actor)).user.plan).toBe("pro");

    here.clock.advance({ seconds: 1 });
    await here.auth.login({ identifier: email, password }, testOrigin);
    const { lastLoginAt } = await here.users.profile(actor);
    expect(lastLoginAt?.getTime()).toBeGreaterThan(first.lastLoginAt?.getTime() ?? 0);
    await seen({ lastLoginAt });

    await here.auth.requestEmailVerification(actor);
    await here.background.settled();
    await here.auth.verifyEmail(here.letters.tokenFor(email), testOrigin);
    expect(await here.users.profile(actor)).toMatchObject({ emailVerified: true });
    await seen({ emailVerified: true });
  });

  test("an account that is deleted on one node is gone on the other", async () => {
    const { actor, password } = await here.person();
    await there.users.profile(actor);
    await here.users.deleteAccount(actor, password, origin);
    await expect(here.users.profile(actor)).rejects.toMatchObject({ reason: "session_ended" });
    await vi.waitFor(() => expect(there.users.profile(actor)).rejects.toMatchObject({ reason: "session_ended" }), patiently);
  });
});
