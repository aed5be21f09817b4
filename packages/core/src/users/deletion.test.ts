import { databaseKinds, type TestAccounts, testAccounts, testChat } from "@parley/testing";
import { and, eq, inArray } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAudit } from "../audit/audit.ts";
import { apiKeys, auditLog, conversations, members, messages, runs, sessions, users } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };

describe.each(databaseKinds)("deleting an account on %s", (kind) => {
  let node: TestAccounts;
  beforeAll(async () => {
    node = await testAccounts(kind);
  });
  afterEach(async () => {
    await node.database.update(users).set({ role: "user" }).where(eq(users.role, "admin"));
  });
  afterAll(() => node.stop());

  async function conversation(...people: [{ id: string }, "owner" | "editor" | "viewer"][]) {
    const id = node.ids.next();
    await node.database.insert(conversations).values({ id, title: "A talk" });
    let joined = 0;
    for (const [{ id: userId }, role] of people) {
      await node.database.insert(members).values({ conversationId: id, userId, role, joinedAt: new Date(++joined * 1_000) });
    }
    const [author] = people;
    const message = { id: node.ids.next(), conversationId: id, authorId: author?.[0].id ?? null };
    await node.database.insert(messages).values({ ...message, role: "user", content: "Hello", status: "complete" });
    return id;
  }
  const rolesIn = async (id: string) => {
    const rows = await node.database.select().from(members).where(eq(members.conversationId, id));
    return Object.fromEntries(rows.map((row) => [row.userId, row.role]));
  };

  test("it takes the right password, and a session", async () => {
    const { actor, id, password } = await node.person();
    await expect(node.users.deleteAccount(actor, "wrong", origin)).rejects.toMatchObject({ reason: "invalid_credentials" });
    const byKey = node.users.deleteAccount({ ...actor, via: "key", scopes: ["*"] }, password, origin);
    await expect(byKey).rejects.toMatchObject({ reason: "forbidden" });
    expect(await node.database.select().from(users).where(eq(users.id, id))).toHaveLength(1);
    expect(await node.audited(id)).toMatchObject([{ action: "account.delete", outcome: "refused" }]);
  });

  test("everything goes, every session dies everywhere, and the audit log keeps no name and no address", async () => {
    const { actor, id, sessionId, password } = await node.person();
    const { id: other } = await node.person();
    const ended = node.ids.next();
    const expiresAt = new Date(Date.now() + 60_000);
    await node.database.insert(sessions).values({ id: ended, userId: id, expiresAt, endedAt: new Date() });
    await node.database
      .insert(apiKeys)
      .values({ id: node.ids.next(), userId: id, name: "a", prefix: "plk_", hash: id, scopes: ["*"] });
    const audit = createAudit(node.ports);
    audit.done(id, "account.login", { target: null, address: "192.0.2.9" });
    audit.done(other, "account.login", { target: null, address: "192.0.2.8" });
    await node.background.settled();
    node.applied.length = 0;

    await node.users.deleteAccount(actor, password, origin);
    await node.background.settled();

    for (const rows of [
      await node.database.select().from(users).where(eq(users.id, id)),
      await node.database.select().from(sessions).where(eq(sessions.userId, id)),
      await node.database.select().from(apiKeys).where(eq(apiKeys.userId, id)),
      await node.database.select().from(auditLog).where(eq(auditLog.address, "192.0.2.9")),
    ]) {
      expect(rows).toEqual([]);
    }
    expect(await node.database.select().from(auditLog).where(eq(auditLog.address, "192.0.2.8"))).toHaveLength(1);
    const [line] = await node.database
      .select()
      .from(auditLog)
      .where(and(eq(auditLog.target, `user:${id}`), eq(auditLog.outcome, "done")));
    expect(line).toMatchObject({ action: "account.delete", actorId: null, address: null });
    const changes = [
      { kind: "session_ended", userId: id, sessionId },
      { kind: "rights_changed", userId: id },
    ];
    expect(node.applied).toEqual(changes);
    expect(await node.told(id)).toMatchObject(changes);
    await expect(node.users.deleteAccount(actor, password, origin)).rejects.toMatchObject({ reason: "session_ended" });
  });

  test("what nobody else reads goes; what others read passes to the oldest editor, or else reader", async () => {
    const [me, editor, later, viewer] = await Promise.all([node.person(), node.person(), node.person(), node.person()]);
    const alone = await conversation([me, "owner"]);
    const left = await conversation([me, "viewer"]);
    const edited = await conversation([me, "owner"], [viewer, "viewer"], [editor, "editor"], [later, "editor"]);
    const read = await conversation([me, "owner"], [viewer, "viewer"], [later, "viewer"]);
    const owned = await conversation([me, "owner"], [editor, "editor"], [later, "owner"]);
    const guest = await conversation([later, "owner"], [me, "editor"], [viewer, "viewer"]);
    const foreign = await conversation([later, "owner"]);

    await node.users.deleteAccount(me.actor, me.password, origin);

    const kept = await node.database
      .select({ id: conversations.id })
      .from(conversations)
      .where(inArray(conversations.id, [alone, left, edited, read, owned, guest, foreign]));
    expect(kept.map(({ id }) => id).sort()).toEqual([edited, read, owned, guest, foreign].sort());
    expect(await rolesIn(edited)).toEqual({ [viewer.id]: "viewer", [editor.id]: "owner", [later.id]: "editor" });
    expect(await rolesIn(read)).toEqual({ [viewer.id]: "owner", [later.id]: "viewer" });
    expect(await rolesIn(owned)).toEqual({ [editor.id]: "editor", [later.id]: "owner" });
    expect(await rolesIn(guest)).toEqual({ [later.id]: "owner", [viewer.id]: "viewer" });
    const said = await node.database
      .select()
      .from(messages)
      .where(inArray(messages.conversationId, [alone, edited]));
    await node.background.settled();
    const handedOn = await node.database.select().from(auditLog).where(eq(auditLog.action, "member.role"));
    const heirs = handedOn.filter(({ actorId }) => actorId === null).map(({ target, details }) => [target, details]);
    expect(Object.fromEntries(heirs)).toEqual({
      [`conversation:${edited}`]: { userId: editor.id, role: "owner" },
      [`conversation:${read}`]: { userId: viewer.id, role: "owner" },
    });
    expect(said).toMatchObject([{ conversationId: edited, content: "Hello", authorId: null }]);
  });

  test("somebody suspended inherits only where nobody else is there", async () => {
    const [me, viewer] = await Promise.all([node.person(), node.person()]);
    const suspended = await node.person({ status: "suspended" });
    const read = await conversation([me, "owner"], [suspended, "editor"], [viewer, "viewer"]);
    const owned = await conversation([me, "owner"], [suspended, "owner"], [viewer, "editor"]);
    const left = await conversation([me, "owner"], [suspended, "viewer"]);
    await node.members.leave(me.actor, read, origin);
    await node.users.deleteAccount(me.actor, me.password, origin);
    expect(await rolesIn(read)).toEqual({ [suspended.id]: "editor", [viewer.id]: "owner" });
    expect(await rolesIn(owned)).toEqual({ [suspended.id]: "owner", [viewer.id]: "owner" });
    expect(await rolesIn(left)).toEqual({ [suspended.id]: "owner" });
  });

  test("answers that were asked for are written no further, and every node hears of the memberships that end", async () => {
    const [me, friend] = await Promise.all([node.person(), node.person()]);
    const shared = await conversation([friend, "owner"], [me, "editor"]);
    const [message] = await node.database.select().from(messages).where(eq(messages.conversationId, shared));
    const [mine, theirs] = [node.ids.next(), node.ids.next()];
    const run = {
      messageId: message?.id ?? "",
      conversationId: shared,
      provider: "demo",
      model: "demo",
      status: "running",
    } as const;
    const lease = { epoch: shared, leaseUntil: new Date() };
    await node.database.insert(runs).values([
      { ...run, ...lease, id: mine, userId: me.id },
      { ...run, ...lease, id: theirs, userId: friend.id },
    ]);
    node.applied.length = 0;
    await node.users.deleteAccount(me.actor, me.password, origin);
    const stopped = await node.database.select().from(runs).where(eq(runs.stopRequested, true));
    expect(stopped.map(({ id }) => id)).toEqual([mine]);
    const ended = { kind: "membership_ended", userId: me.id, conversationId: shared };
    expect(node.applied).toContainEqual(ended);
    expect(await node.told(me.id)).toContainEqual(expect.objectContaining(ended));
  });

  test("those who stay hear who has gone, and whose it is now", async () => {
    const [me, editor, viewer] = await Promise.all([node.person({ displayName: "Grace" }), node.person(), node.person()]);
    const chat = testChat(node);
    const owned = await conversation([me, "owner"], [editor, "editor"], [viewer, "viewer"]);
    const device = await chat.listen(viewer.actor);
    await node.users.deleteAccount(me.actor, me.password, origin);
    expect(await device.until("member-left", "conversation-updated")).toMatchObject([
      { conversationId: owned, user: { id: me.id, name: "Grace" } },
      {
        conversation: {
          id: owned,
          myRole: "viewer",
          members: [
            { user: { id: editor.id }, role: "owner" },
            { user: { id: viewer.id }, role: "viewer" },
          ],
        },
      },
    ]);
  });

  test("the last administrator stays, also when two go at once", async () => {
    const first = await node.person({ role: "admin" });
    await node.person({ role: "admin", status: "suspended" });
    await expect(node.users.deleteAccount(first.actor, first.password, origin)).rejects.toMatchObject({ reason: "conflict" });
    const others = await Promise.all(Array.from({ length: 5 }, () => node.person({ role: "admin" })));
    const everybody = [first, ...others];
    const results = await Promise.allSettled(
      everybody.map(({ actor, password }) => node.users.deleteAccount(actor, password, origin)),
    );
    expect(results.filter(({ status }) => status === "rejected")).toMatchObject([{ reason: { reason: "conflict" } }]);
    const ids = everybody.map(({ id }) => id);
    expect(await node.database.select().from(users).where(inArray(users.id, ids))).toHaveLength(1);
  });
});
