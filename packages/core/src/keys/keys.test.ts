import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAudit } from "../audit/audit.ts";
import { apiKeys, roles, sessions, users } from "../database/schema.ts";
import { createKeys } from "./keys.ts";

const origin = { address: "127.0.0.1" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("keys on %s", (kind) => {
  let node: TestAccounts;
  let keys: TestAccounts["keys"];
  beforeAll(async () => {
    node = await testAccounts(kind);
    ({ keys } = node);
  });
  afterAll(() => node.stop());

  test("a key speaks for its owner, is told once and kept as a hash", async () => {
    const { actor } = await node.person();
    const { key, apiKey } = await keys.create(actor, { name: "cron" }, origin);
    expect(key).toMatch(/^plk_[0-9A-Za-z]{43}$/);
    expect(apiKey).toMatchObject({ name: "cron", prefix: key.slice(0, 12), expiresAt: null, lastUsedAt: null });
    expect(await keys.list(actor)).toEqual([apiKey]);
    const scopes = ["chat.read", "chat.write", "account.read"];
    expect(await keys.authenticate(key)).toEqual({
      keyId: apiKey.id,
      userId: actor.userId,
      plan: "free",
      budget: { tokens: null, micros: null },
      permissions: [],
      scopes,
      expiresAt: null,
    });
    const [row] = await node.database.select().from(apiKeys).where(eq(apiKeys.id, apiKey.id));
    expect(row?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(row)).not.toContain(key.slice(12));
    const lines = await node.audited(actor.userId);
    expect(lines).toMatchObject([{ action: "key.create", target: `key:${apiKey.id}`, details: { scopes: scopes.join(" ") } }]);
    expect(JSON.stringify(lines)).not.toContain(key.slice(4));
  });

  test("two keys are never alike, and nonsense is no key", async () => {
    const { actor } = await node.person();
    const first = await keys.create(actor, { name: "a" }, origin);
    const second = await keys.create(actor, { name: "a" }, origin);
    expect(first.key).not.toBe(second.key);
    for (const wrong of [
      "",
      "plk_",
      `${first.key}x`,
      first.key.slice(0, -1),
      first.key.toUpperCase(),
      "plk_\0",
      `plk_${"0".repeat(43)}`,
    ]) {
      expect(await keys.authenticate(wrong), wrong).toBeNull();
    }
  });

  test("a key has no more than its owner, now and later", async () => {
    const { actor, id } = await node.person({ role: "operator" });
    await expect(keys.create(actor, { name: "a", scopes: ["users.manage"] }, origin)).rejects.toMatchObject({
      reason: "forbidden",
    });
    const { key: narrow } = await keys.create(actor, { name: "a", scopes: ["chat.read"] }, origin);
    const { key: metrics } = await keys.create(actor, { name: "a", scopes: ["metrics.read"] }, origin);
    const { key: all } = await keys.create(actor, { name: "a", scopes: ["*"] }, origin);
    const permissionsOf = async (key: string) => (await keys.authenticate(key))?.permissions;
    expect(await permissionsOf(narrow)).toEqual([]);
    expect(await permissionsOf(metrics)).toEqual(["metrics.read"]);
    expect(await permissionsOf(all)).toEqual(["metrics.read"]);
    await node.database.update(users).set({ role: "user" }).where(eq(users.id, id));
    expect(await permissionsOf(metrics)).toEqual([]);
    expect(await permissionsOf(all)).toEqual([]);
    await node.database.update(users).set({ role: "admin" }).where(eq(users.id, id));
    expect(await permissionsOf(metrics)).toEqual(["metrics.read"]);
    expect(await permissionsOf(all)).toEqual(["*"]);
    expect(await permissionsOf(narrow)).toEqual([]);
  });

  test("a custom role without `*` cannot put `users.delete` into a key", async () => {
    await node.database.insert(roles).values({ name: `support-${kind}`, permissions: ["users.manage"] });
    const { actor } = await node.person({ role: `support-${kind}` });
    const support = { ...actor, permissions: ["users.manage"] };
    await keys.create(support, { name: "a", scopes: ["users.manage", "chat.read"] }, origin);
    const refused = keys.create(support, { name: "a", scopes: ["users.manage", "users.delete"] }, origin);
    await expect(refused).rejects.toMatchObject({ reason: "forbidden" });
  });

  test("a key makes no keys", async () => {
    const { actor } = await node.person();
    const made = keys.create({ ...actor, via: "key", scopes: ["*"] }, { name: "a" }, origin);
    await expect(made).rejects.toMatchObject({ reason: "forbidden" });
  });

  test("a session that has just ended makes none, nor does a suspended account, and each is told so", async () => {
    const ended = await node.person();
    await node.database.update(sessions).set({ endedAt: node.clock.now() }).where(eq(sessions.id, ended.sessionId));
    await expect(keys.create(ended.actor, { name: "a" }, origin)).rejects.toMatchObject({ reason: "session_ended" });
    const suspended = await node.person({ status: "suspended" });
    await expect(keys.create(suspended.actor, { name: "a" }, origin)).rejects.toMatchObject({ reason: "account_disabled" });
    const gone = await node.person();
    await node.database.delete(users).where(eq(users.id, gone.id));
    await expect(keys.create(gone.actor, { name: "a" }, origin)).rejects.toMatchObject({ reason: "session_ended" });
    for (const { actor } of [ended, suspended, gone]) expect(await keys.list(actor)).toEqual([]);
  });

  test("a key ends at its time, and cannot end before it begins", async () => {
    const { actor } = await node.person();
    const past = keys.create(actor, { name: "a", expiresAt: node.clock.now() }, origin);
    await expect(past).rejects.toMatchObject({ reason: "invalid_input", issues: [{ path: "expiresAt" }] });
    const expiresAt = new Date(node.clock.now().getTime() + 60_000);
    const { key } = await keys.create(actor, { name: "a", expiresAt }, origin);
    expect(await keys.authenticate(key)).toMatchObject({ expiresAt });
    node.clock.advance({ seconds: 61 });
    expect(await keys.authenticate(key)).toBeNull();
  });

  test("what was opened with a key ends when the key does", async () => {
    let endExpired = async () => {};
    const background = {
      ...node.ports.background,
      every(name: string, _: number, work: () => Promise<void>) {
        if (name === "end expired keys") endExpired = work;
      },
    };
    createKeys({ ...node.ports, background }, { access: node.access, audit: createAudit(node.ports) });
    const { actor, id } = await node.person();
    const expiresAt = new Date(node.clock.now().getTime() + 60_000);
    const { apiKey } = await keys.create(actor, { name: "a", expiresAt }, origin);
    node.applied.length = 0;
    await endExpired();
    expect(node.applied).not.toContainEqual(expect.objectContaining({ sessionId: apiKey.id }));
    node.clock.advance({ seconds: 61 });
    await endExpired();
    expect(node.applied).toContainEqual({ kind: "session_ended", userId: id, sessionId: apiKey.id });
  });

  test("a revoked key is none, and every node hears of it from the same statement", async () => {
    const { actor, id } = await node.person();
    const { key, apiKey } = await keys.create(actor, { name: "a" }, origin);
    node.applied.length = 0;
    await keys.revoke(actor, apiKey.id, origin);
    expect(await keys.authenticate(key)).toBeNull();
    expect(await keys.list(actor)).toEqual([]);
    expect(node.applied).toEqual([{ kind: "session_ended", userId: id, sessionId: apiKey.id }]);
    expect(await node.told(id)).toMatchObject([{ kind: "session_ended", sessionId: apiKey.id }]);
  });

  test("somebody else's key, a revoked one and one that does not exist are the same", async () => {
    const owner = await node.person();
    const stranger = await node.person();
    const { key, apiKey } = await keys.create(owner.actor, { name: "a" }, origin);
    const refusal = (actor: typeof owner.actor, id: string) => keys.revoke(actor, id, origin).catch((error: unknown) => error);
    const nobodys = await refusal(stranger.actor, missing);
    expect(nobodys).toMatchObject({ reason: "not_found" });
    expect(await refusal(stranger.actor, apiKey.id)).toEqual(nobodys);
    expect(await keys.authenticate(key)).not.toBeNull();
    await keys.revoke(owner.actor, apiKey.id, origin);
    expect(await refusal(owner.actor, apiKey.id)).toEqual(nobodys);
    expect(await keys.list(stranger.actor)).toEqual([]);
  });

  test("a suspended owner's key is none until the owner is back", async () => {
    const { actor, id } = await node.person();
    const { key } = await keys.create(actor, { name: "a" }, origin);
    await node.database.update(users).set({ status: "suspended" }).where(eq(users.id, id));
    expect(await keys.authenticate(key)).toBeNull();
    await node.database.update(users).set({ status: "active" }).where(eq(users.id, id));
    expect(await keys.authenticate(key)).not.toBeNull();
  });

  test("fifty keys a person, also sixty at once; one that is revoked makes room", async () => {
    const { actor } = await node.person();
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => keys.create(actor, { name: "a" }, origin)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(50);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "conflict" });
    const [first] = await keys.list(actor);
    await keys.revoke(actor, first?.id ?? "", origin);
    await keys.create(actor, { name: "a" }, origin);
  });

  test("its last use is written once a minute", async () => {
    const { actor } = await node.person();
    const { key } = await keys.create(actor, { name: "a" }, origin);
    const use = async () => {
      await keys.authenticate(key);
      await node.background.settled();
      return (await keys.list(actor))[0]?.lastUsedAt?.getTime() ?? 0;
    };
    const first = await use();
    expect(first).toBeGreaterThan(0);
    node.clock.advance({ seconds: 30 });
    expect(await use()).toBe(first);
    node.clock.advance({ seconds: 31 });
    expect(await use()).toBeGreaterThan(first + 60_000);
  });
});
