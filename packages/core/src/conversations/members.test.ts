import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { eq, inArray } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { conversations, members, messages, runs, users } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("members on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  const refused = (call: Promise<unknown>, reason: string) => expect(call).rejects.toMatchObject({ reason });

  async function three() {
    const [owner, editor, viewer] = await Promise.all([node.person(), node.person(), node.person()]);
    const id = await chat.together([owner.actor, "owner"], [editor.actor, "editor"], [viewer.actor, "viewer"]);
    return { id, owner: owner.actor, editor: editor.actor, viewer: viewer.actor };
  }

  async function rolesIn(id: string) {
    const rows = await node.database.select().from(members).where(eq(members.conversationId, id));
    return Object.fromEntries(rows.map(({ userId, role }) => [userId, role]));
  }

  /** So many more, who only fill the seats. */
  async function fill(id: string, count: number) {
    const people = Array.from({ length: count }, () => node.ids.next());
    const account = (userId: string) => ({
      id: userId,
      email: userId,
      emailKey: userId,
      displayName: "Crowd",
      passwordHash: "x",
      role: "user",
    });
    await node.database.insert(users).values(people.map(account));
    await node.database.insert(members).values(people.map((userId) => ({ conversationId: id, userId, role: "viewer" as const })));
  }

  /** The run of an answer that another node is writing. */
  async function answering({ userId }: Actor, conversationId: string) {
    const [id, messageId] = [node.ids.next(), node.ids.next()];
    const answer = { role: "assistant", content: "", status: "running" } as const;
    await node.database.insert(messages).values({ ...answer, id: messageId, conversationId, runId: id });
    const model = { provider: "demo", model: "demo", status: "running" } as const;
    const lease = { epoch: missing, leaseUntil: new Date() };
    await node.database.insert(runs).values({ ...model, ...lease, id, messageId, conversationId, userId });
    return id;
  }

  test("somebody is added by e-mail address or username, and everybody hears of it", async () => {
    const { id, owner, viewer } = await three();
    const guest = await node.person({ username: "Grace_H", usernameKey: "grace_h", displayName: "Grace" });
    const [theirs, others] = await Promise.all([chat.listen(guest.actor), chat.listen(viewer)]);
    const added = await node.members.add(owner, { id, identifier: "ＧＲＡＣＥ_h", role: "editor" }, origin);
    expect(added.members).toContainEqual({ role: "editor", user: { id: guest.id, name: "Grace", avatar: null } });
    const byMail = await node.person();
    await node.members.add(owner, { id, identifier: byMail.email.toUpperCase(), role: "viewer" }, origin);
    expect(await rolesIn(id)).toMatchObject({ [guest.id]: "editor", [byMail.id]: "viewer" });
    const [created] = await theirs.until("conversation-created", "member-joined", "conversation-updated");
    expect(created).toMatchObject({ conversation: { id, myRole: "editor" } });
    expect(await others.until("member-joined", "member-joined", "conversation-updated")).toMatchObject([
      { conversationId: id, user: { id: guest.id } },
      { conversationId: id, user: { id: byMail.id } },
      { conversation: { myRole: "viewer" } },
    ]);
    expect(await node.audited(owner.userId)).toMatchObject([
      {
        action: "member.add",
        target: `conversation:${id}`,
        outcome: "done",
        address: "192.0.2.7",
        details: { userId: guest.id, role: "editor" },
      },
      { action: "member.add" },
    ]);
  });

  test("adding twice is adding once, and another role is a change of role", async () => {
    const { id, owner } = await three();
    const guest = await node.person();
    const add = (role: "editor" | "viewer") => node.members.add(owner, { id, identifier: guest.email, role }, origin);
    await Promise.all(Array.from({ length: 20 }, () => add("viewer")));
    await add("editor");
    expect(await rolesIn(id)).toMatchObject({ [guest.id]: "editor" });
    expect((await node.audited(owner.userId)).map(({ action }) => action)).toEqual(["member.add", "member.role"]);
  });

  test("nobody of that name, and an account that is suspended, are the same", async () => {
    const { id, owner } = await three();
    const { email } = await node.person({ status: "suspended" });
    const answer = (identifier: string) =>
      node.members.add(owner, { id, identifier, role: "viewer" }, origin).catch(({ reason, message }) => ({ reason, message }));
    expect(await answer(email)).toMatchObject({ reason: "not_found" });
    expect(await answer("nobody@example.com")).toEqual(await answer(email));
  });

  test("only owners say who is in it, and strangers learn nothing", async () => {
    const { id, owner, editor, viewer } = await three();
    const { actor: stranger, email } = await node.person();
    for (const actor of [editor, viewer]) {
      await refused(node.members.add(actor, { id, identifier: email, role: "viewer" }, origin), "forbidden");
      await refused(node.members.setRole(actor, { id, userId: actor.userId, role: "owner" }, origin), "forbidden");
      await refused(node.members.remove(actor, { id, userId: owner.userId }, origin), "forbidden");
    }
    for (const conversationId of [id, missing]) {
      const at = { id: conversationId, userId: owner.userId };
      await refused(node.members.add(stranger, { ...at, identifier: email, role: "viewer" }, origin), "not_found");
      await refused(node.members.setRole(stranger, { ...at, role: "viewer" }, origin), "not_found");
      await refused(node.members.remove(stranger, at, origin), "not_found");
      await refused(node.members.leave(stranger, conversationId, origin), "not_found");
      await refused(node.members.join(stranger, conversationId, origin), "not_found");
    }
    await refused(node.members.setRole(owner, { id, userId: stranger.userId, role: "viewer" }, origin), "not_found");
    await refused(node.members.remove(owner, { id, userId: stranger.userId }, origin), "not_found");
    expect(Object.keys(await rolesIn(id))).toHaveLength(3);
  });

  test("a hundred are in it at most, also when twenty are added at once", async () => {
    const { id, owner } = await three();
    await fill(id, 96);
    const guests = await Promise.all(Array.from({ length: 20 }, () => node.person()));
    const results = await Promise.allSettled(
      guests.map(({ email }) => node.members.add(owner, { id, identifier: email, role: "viewer" }, origin)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "conflict" });
    expect(Object.keys(await rolesIn(id))).toHaveLength(100);
  });

  test("a role changes, for everybody to see", async () => {
    const { id, owner, viewer } = await three();
    const device = await chat.listen(viewer);
    await node.members.setRole(owner, { id, userId: viewer.userId, role: "editor" }, origin);
    await node.members.setRole(owner, { id, userId: viewer.userId, role: "editor" }, origin);
    expect(await device.until("conversation-updated")).toMatchObject([{ conversation: { myRole: "editor" } }]);
    const details = { userId: viewer.userId, role: "editor" };
    expect(await node.audited(owner.userId)).toMatchObject([{ action: "member.role", details }]);
  });

  test("the last owner stays owner, and of two who take it from each other one stays", async () => {
    const { id, owner, editor } = await three();
    const { userId } = owner;
    await refused(node.members.setRole(owner, { id, userId, role: "viewer" }, origin), "conflict");
    await refused(node.members.remove(owner, { id, userId }, origin), "conflict");
    await node.members.setRole(owner, { id, userId: editor.userId, role: "owner" }, origin);
    const removals = await Promise.allSettled([
      node.members.remove(owner, { id, userId: editor.userId }, origin),
      node.members.remove(editor, { id, userId }, origin),
    ]);
    expect(removals.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(Object.values(await rolesIn(id)).sort()).toEqual(["owner", "viewer"]);

    const other = await three();
    await node.members.setRole(other.owner, { id: other.id, userId: other.viewer.userId, role: "owner" }, origin);
    const demote = (actor: Actor, of: Actor) =>
      node.members.setRole(actor, { id: other.id, userId: of.userId, role: "viewer" }, origin);
    const demotions = await Promise.allSettled([demote(other.owner, other.viewer), demote(other.viewer, other.owner)]);
    expect(demotions.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(Object.values(await rolesIn(other.id)).sort()).toEqual(["editor", "owner", "viewer"]);
  });

  test("whoever is removed has lost it on every node, and the others hear who has gone", async () => {
    const { id, owner, editor, viewer } = await three();
    const [theirs, others] = await Promise.all([chat.listen(viewer), chat.listen(editor)]);
    node.applied.length = 0;
    await node.members.remove(owner, { id, userId: viewer.userId }, origin);
    const change = { kind: "membership_ended", userId: viewer.userId, conversationId: id };
    expect(node.applied).toEqual([change]);
    expect(await node.told(viewer.userId)).toMatchObject([change]);
    await refused(node.conversations.get(viewer, id), "not_found");
    expect(await theirs.until("conversation-deleted")).toEqual([{ type: "conversation-deleted", conversationId: id }]);
    expect(await others.until("member-left", "conversation-updated")).toMatchObject([
      { conversationId: id, user: { id: viewer.userId, name: "Person" } },
      { conversation: { members: [{ role: "owner" }, { role: "editor" }] } },
    ]);
    const details = { userId: viewer.userId };
    expect(await node.audited(owner.userId)).toMatchObject([{ action: "member.remove", details }]);
    await refused(node.members.remove(owner, { id, userId: viewer.userId }, origin), "not_found");
  });

  test("an owner who leaves hands it on, and the last one takes it along", async () => {
    const { id, owner, editor, viewer } = await three();
    await node.members.leave(owner, id, origin);
    expect(await rolesIn(id)).toEqual({ [editor.userId]: "owner", [viewer.userId]: "viewer" });
    await node.members.leave(editor, id, origin);
    expect(await rolesIn(id)).toEqual({ [viewer.userId]: "owner" });
    const device = await chat.listen(viewer);
    await node.members.leave(viewer, id, origin);
    await device.until("conversation-deleted");
    expect(await node.database.select().from(conversations).where(eq(conversations.id, id))).toEqual([]);
    for (const { userId } of [owner, editor, viewer]) {
      expect(await node.told(userId)).toMatchObject([{ kind: "membership_ended", conversationId: id }]);
    }
    const target = `conversation:${id}`;
    const handedOn = ({ userId }: Actor) => ({ action: "member.role", target, details: { userId, role: "owner" } });
    const isGone = { action: "member.leave", target };
    expect(await node.audited(owner.userId)).toMatchObject([isGone, handedOn(editor)]);
    expect(await node.audited(editor.userId)).toMatchObject([isGone, handedOn(viewer)]);
    expect(await node.audited(viewer.userId)).toMatchObject([isGone]);
    await refused(node.members.leave(viewer, id, origin), "not_found");
  });

  test("whoever leaves or is removed is answered no further there, and elsewhere still is", async () => {
    const { id, owner, editor, viewer } = await three();
    const elsewhere = await chat.together([editor, "owner"]);
    const [left, removed, others, kept] = await Promise.all([
      answering(editor, id),
      answering(viewer, id),
      answering(owner, id),
      answering(editor, elsewhere),
    ]);
    await node.members.leave(editor, id, origin);
    await node.members.remove(owner, { id, userId: viewer.userId }, origin);
    const asked = await node.database
      .select()
      .from(runs)
      .where(inArray(runs.id, [left, removed, others, kept]));
    const stopped = asked.flatMap((run) => (run.stopRequested ? [run.id] : []));
    expect(stopped.sort()).toEqual([left, removed].sort());
  });

  test("who asked may stop the answer, also as a viewer by now", async () => {
    const { id, owner, viewer } = await three();
    const [mine, theirs] = await Promise.all([answering(viewer, id), answering(owner, id)]);
    await refused(node.runs.stop(viewer, { runId: theirs }), "forbidden");
    await node.runs.stop(viewer, { runId: mine });
    const [run] = await node.database.select().from(runs).where(eq(runs.id, mine));
    expect(run).toMatchObject({ stopRequested: true });
  });

  test("one conversation is left, and the others stay as they are", async () => {
    const { id, owner } = await three();
    const { actor: friend } = await node.person();
    const kept = await chat.together([owner, "owner"], [friend, "editor"]);
    await node.members.leave(owner, id, origin);
    expect(await rolesIn(kept)).toEqual({ [owner.userId]: "owner", [friend.userId]: "editor" });
  });

  test("when all leave at once, nothing is left over", async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => node.person()));
    const id = await chat.together(...people.map(({ actor }): [Actor, "editor"] => [actor, "editor"]));
    await Promise.all(people.map(({ actor }) => node.members.leave(actor, id, origin)));
    expect(await node.database.select().from(conversations).where(eq(conversations.id, id))).toEqual([]);
  });

  test("a public one is joined once, as an editor", async () => {
    const { actor: host } = await node.person();
    const { id } = await node.conversations.create(host, { title: "Harbour", visibility: "public" });
    const { actor: guest } = await node.person();
    const device = await chat.listen(host);
    await refused(node.conversations.get(guest, id), "not_found");
    const joined = await Promise.all(Array.from({ length: 20 }, () => node.members.join(guest, id, origin)));
    expect(joined[0]).toMatchObject({ id, myRole: "editor" });
    await device.until("member-joined", "conversation-updated");
    await node.members.join(host, id, origin);
    expect(await rolesIn(id)).toEqual({ [host.userId]: "owner", [guest.userId]: "editor" });
    expect((await node.audited(guest.userId)).map(({ action }) => action)).toEqual(["member.join"]);
    await node.conversations.update(host, { id, visibility: "private" }, origin);
    expect(await node.members.join(guest, id, origin)).toMatchObject({ myRole: "editor" });
    const { actor: late } = await node.person();
    await refused(node.members.join(late, id, origin), "not_found");
  });

  test("a public one that is full takes nobody more, also when twenty come at once", async () => {
    const { actor: host } = await node.person();
    const { id } = await node.conversations.create(host, { visibility: "public" });
    await fill(id, 98);
    const guests = await Promise.all(Array.from({ length: 20 }, () => node.person()));
    const results = await Promise.allSettled(guests.map(({ actor }) => node.members.join(actor, id, origin)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "conflict" });
    expect(Object.keys(await rolesIn(id))).toHaveLength(100);
  });

  test("who joins while it is deleted has joined before, or finds nothing", async () => {
    for (let round = 0; round < 5; round++) {
      const { actor: host } = await node.person();
      const { id } = await node.conversations.create(host, { visibility: "public" });
      const guests = await Promise.all(Array.from({ length: 6 }, () => node.person()));
      const joins = guests.map(({ actor }) => node.members.join(actor, id, origin));
      const results = await Promise.allSettled([...joins, node.conversations.delete(host, id, origin)]);
      for (const result of results)
        if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "not_found" });
      expect(results.at(-1)).toMatchObject({ status: "fulfilled" });
      expect(await rolesIn(id)).toEqual({});
      for (const { actor, id: userId } of guests) {
        await refused(node.conversations.get(actor, id), "not_found");
        const [ended] = await node.told(userId);
        if (ended) expect(ended).toMatchObject({ kind: "membership_ended", conversationId: id });
      }
    }
  });
});
