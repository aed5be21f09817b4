import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conversations, members, messages, runs } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("conversations on %s", (kind) => {
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

  async function say(conversationId: string, content: string, parentId: string | null = null) {
    const id = node.ids.next();
    const row = { id, conversationId, parentId, role: "user", content, status: "complete" } as const;
    await node.database.insert(messages).values(row);
    return id;
  }

  test("one is made with all that is said of it, or with nothing", async () => {
    const { actor, id: userId } = await node.person();
    const device = await chat.listen(actor);
    const wanted = {
      title: "שיחה על ספרים",
      description: "О книгах",
      tags: ["books"],
      metadata: { nested: { list: [1, "٢"] } },
      systemPrompt: "Be brief",
      visibility: "public" as const,
    };
    const made = await node.conversations.create(actor, { ...wanted, model: "demo" });
    expect(made).toMatchObject({
      ...wanted,
      model: "demo",
      myRole: "owner",
      members: [{ role: "owner", user: { id: userId, name: "Person", avatar: null } }],
      archivedAt: null,
      pinned: false,
      shareUrl: null,
      lastMessage: null,
      messageCount: 0,
      unreadCount: 0,
    });
    expect(await node.conversations.get(actor, made.id)).toEqual(made);
    const bare = await node.conversations.create(actor, {});
    expect(bare).toMatchObject({ title: "…", description: null, visibility: "private", tags: [], metadata: {}, model: null });
    const events = await device.until("conversation-created", "conversation-created");
    expect(events).toMatchObject([{ conversation: made }, { conversation: bare }]);
    const rows = await node.database.select().from(conversations);
    const titleBy = (id: string) => rows.find((row) => row.id === id)?.titleBy;
    expect([titleBy(made.id), titleBy(bare.id)]).toEqual(["person", "words"]);
  });

  test("an unknown model is told as such, when one is made and when one is changed", async () => {
    const { actor } = await node.person();
    await refused(node.conversations.create(actor, { model: "nobody" }), "model_unknown");
    const { id } = await node.conversations.create(actor, { model: "demo" });
    await refused(node.conversations.update(actor, { id, model: "nobody" }, origin), "model_unknown");
    expect(await node.conversations.update(actor, { id, model: null }, origin)).toMatchObject({ model: null });
  });

  test("what is not named stays, and every member sees the change with their own eyes", async () => {
    const { id, owner, editor, viewer } = await three();
    const device = await chat.listen(viewer);
    const wanted = {
      title: "Books",
      description: "About them",
      tags: ["a", "b"],
      metadata: { a: 1 },
      systemPrompt: "x",
    };
    expect(await node.conversations.update(editor, { id, ...wanted }, origin)).toMatchObject({ ...wanted, myRole: "editor" });
    const cleared = { description: null, systemPrompt: null, tags: [] };
    const changed = await node.conversations.update(owner, { id, ...cleared, archived: true }, origin);
    expect(changed).toMatchObject({ ...wanted, ...cleared, archivedAt: expect.any(Date) });
    const again = await node.conversations.update(owner, { id, archived: true }, origin);
    expect(again.archivedAt).toEqual(changed.archivedAt);
    expect((await node.conversations.update(owner, { id, archived: false }, origin)).archivedAt).toBeNull();
    const [told] = await device.until("conversation-updated");
    expect(told).toMatchObject({ conversation: { ...wanted, ...cleared, archivedAt: null, myRole: "viewer" } });
    const [row] = await node.database.select().from(conversations).where(eq(conversations.id, id));
    expect(row).toMatchObject({ titleBy: "person" });
    expect(await node.audited(editor.userId)).toMatchObject([
      {
        action: "conversation.update",
        target: `conversation:${id}`,
        outcome: "done",
        address: "192.0.2.7",
        details: { changed: "title description tags metadata systemPrompt" },
      },
    ]);
    expect((await node.audited(owner.userId)).map(({ details }) => details)).toEqual([
      { changed: "description systemPrompt tags archived" },
      { changed: "archived" },
      { changed: "archived" },
    ]);
  });

  test("viewers change nothing, editors not who may find it, and strangers learn nothing", async () => {
    const { id, owner, editor, viewer } = await three();
    const { actor: stranger } = await node.person();
    await refused(node.conversations.update(viewer, { id, title: "Mine" }, origin), "forbidden");
    await refused(node.conversations.update(editor, { id, visibility: "public", title: "Mine" }, origin), "forbidden");
    await refused(node.conversations.update(stranger, { id, title: "Mine" }, origin), "not_found");
    await refused(node.conversations.update(stranger, { id: missing, title: "Mine" }, origin), "not_found");
    expect(await node.conversations.update(owner, { id, visibility: "public" }, origin)).toMatchObject({
      title: "A talk",
      visibility: "public",
    });
    await node.conversations.update(owner, { id, visibility: "public" }, origin);
    expect(await node.audited(owner.userId)).toMatchObject([
      {
        action: "conversation.visibility",
        target: `conversation:${id}`,
        outcome: "done",
        address: "192.0.2.7",
        details: { visibility: "public" },
      },
    ]);
  });

  test("a pin is one person's own", async () => {
    const { id, owner, viewer } = await three();
    expect(await node.conversations.pin(viewer, { id, pinned: true })).toMatchObject({ pinned: true });
    expect(await node.conversations.get(owner, id)).toMatchObject({ pinned: false });
    expect((await node.conversations.list(viewer, { pinned: true })).items).toMatchObject([{ id, pinned: true }]);
    expect((await node.conversations.list(owner, { pinned: true })).items).toEqual([]);
    const { actor: stranger } = await node.person();
    await refused(node.conversations.pin(stranger, { id, pinned: true }), "not_found");
  });

  test("only an owner deletes, and then it is gone for everybody, with what was under way", async () => {
    const { id, owner, editor, viewer } = await three();
    const messageId = await say(id, "Hello");
    const run = { messageId, conversationId: id, provider: "demo", model: "demo", status: "running" } as const;
    await node.database.insert(runs).values({ ...run, id: node.ids.next(), epoch: missing, leaseUntil: new Date() });
    const { actor: stranger } = await node.person();
    await refused(node.conversations.delete(viewer, id, origin), "forbidden");
    await refused(node.conversations.delete(editor, id, origin), "forbidden");
    await refused(node.conversations.delete(stranger, id, origin), "not_found");
    const device = await chat.listen(viewer);
    node.applied.length = 0;
    await node.conversations.delete(owner, id, origin);
    expect(await device.until("conversation-deleted")).toEqual([{ type: "conversation-deleted", conversationId: id }]);
    for (const { userId } of [owner, editor, viewer]) {
      expect(node.applied).toContainEqual({ kind: "membership_ended", userId, conversationId: id });
      expect(await node.told(userId)).toMatchObject([{ kind: "membership_ended", conversationId: id }]);
    }
    await refused(node.conversations.get(owner, id), "not_found");
    await refused(node.conversations.delete(owner, id, origin), "not_found");
    expect(await node.database.select().from(runs).where(eq(runs.conversationId, id))).toEqual([]);
    expect(await node.audited(owner.userId)).toMatchObject([{ action: "conversation.delete", target: `conversation:${id}` }]);
  });

  test("of twenty who delete at once, one has done it", async () => {
    const { id, owner } = await three();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => node.conversations.delete(owner, id, origin)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "not_found" });
    expect(await node.told(owner.userId)).toHaveLength(1);
  });

  test("the last message is the newest of the branch that a person looks at", async () => {
    const { id, owner, viewer } = await three();
    const root = await say(id, "Question");
    const left = await say(id, "Left", root);
    const right = await say(id, "Right", root);
    await node.database.update(conversations).set({ leafId: right }).where(eq(conversations.id, id));
    await node.database.update(members).set({ leafId: left }).where(eq(members.userId, viewer.userId));
    expect((await node.conversations.get(owner, id)).lastMessage).toMatchObject({ id: right, excerpt: "Right" });
    expect((await node.conversations.get(viewer, id)).lastMessage).toMatchObject({ id: left, excerpt: "Left" });
  });
});
