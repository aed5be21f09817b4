import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conversations, messages } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("share links on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  const refused = (call: Promise<unknown>, reason: string) => expect(call).rejects.toMatchObject({ reason });
  const tokenOf = (url: string | null) => url?.replace("https://parley.example/shared/", "") ?? "";

  async function three() {
    const [owner, editor, viewer] = await Promise.all([node.person({ displayName: "Ada" }), node.person(), node.person()]);
    const id = await chat.together([owner.actor, "owner"], [editor.actor, "editor"], [viewer.actor, "viewer"]);
    return { id, owner: owner.actor, editor: editor.actor, viewer: viewer.actor };
  }

  async function say(conversationId: string, message: Partial<typeof messages.$inferInsert>) {
    const id = node.ids.next();
    const row = { id, conversationId, role: "user", content: "", status: "complete", ...message } as const;
    await node.database.insert(messages).values(row);
    await node.database.update(conversations).set({ leafId: id }).where(eq(conversations.id, conversationId));
    return id;
  }

  test("an owner makes a link, and who may write sees it", async () => {
    const { id, owner, editor, viewer } = await three();
    const device = await chat.listen(viewer);
    const { shareUrl } = await node.sharing.share(owner, { id, on: true }, origin);
    expect(shareUrl).toMatch(/^https:\/\/parley\.example\/shared\/[\w-]{32,}$/);
    expect(await node.conversations.get(owner, id)).toMatchObject({ shareUrl });
    expect(await node.conversations.get(editor, id)).toMatchObject({ shareUrl });
    expect(await node.conversations.get(viewer, id)).toMatchObject({ shareUrl: null });
    expect((await node.conversations.list(editor, {})).items).toMatchObject([{ shareUrl }]);
    expect(await device.until("conversation-updated")).toMatchObject([{ conversation: { shareUrl: null } }]);
    const { actor: stranger } = await node.person();
    await refused(node.sharing.share(editor, { id, on: false }, origin), "forbidden");
    await refused(node.sharing.share(viewer, { id, on: true }, origin), "forbidden");
    await refused(node.sharing.share(stranger, { id, on: true }, origin), "not_found");
    await refused(node.sharing.share(owner, { id: missing, on: true }, origin), "not_found");
    expect(await node.audited(owner.userId)).toMatchObject([
      { action: "conversation.share", target: `conversation:${id}`, outcome: "done", details: { on: true } },
    ]);
  });

  test("twenty who switch it on at once get one link; taken back, it is gone for good", async () => {
    const { id, owner } = await three();
    const made = await Promise.all(Array.from({ length: 20 }, () => node.sharing.share(owner, { id, on: true }, origin)));
    const [first] = made;
    expect(new Set(made.map(({ shareUrl }) => shareUrl)).size).toBe(1);
    expect(await node.audited(owner.userId)).toMatchObject([{ action: "conversation.share", details: { on: true } }]);
    const token = tokenOf(first?.shareUrl ?? null);
    expect(await node.sharing.read({ token })).toMatchObject({ title: "A talk", items: [], nextCursor: null });
    expect(await node.sharing.share(owner, { id, on: false }, origin)).toEqual({ shareUrl: null });
    await node.sharing.share(owner, { id, on: false }, origin);
    expect(await node.audited(owner.userId)).toHaveLength(2);
    await refused(node.sharing.read({ token }), "not_found");
    const { shareUrl } = await node.sharing.share(owner, { id, on: true }, origin);
    expect(tokenOf(shareUrl)).not.toBe(token);
    await refused(node.sharing.read({ token }), "not_found");
    await node.sharing.read({ token: tokenOf(shareUrl) });
    await node.conversations.delete(owner, id, origin);
    await refused(node.sharing.read({ token: tokenOf(shareUrl) }), "not_found");
  });

  test("a link shows one branch to its end, page by page, and of the people only their names", async () => {
    const { id, owner } = await three();
    const question = await say(id, { content: "Why?", authorId: owner.userId });
    await say(id, { content: "Another branch", role: "assistant", parentId: question });
    const answer = await say(id, { content: "Because", role: "assistant", parentId: question, model: "demo" });
    const running = await say(id, { content: "", role: "assistant", parentId: answer, status: "running" });
    await node.conversations.update(owner, { id, archived: true, description: "Said" }, origin);
    const { shareUrl } = await node.sharing.share(owner, { id, on: true }, origin);
    const token = tokenOf(shareUrl);
    const page = await node.sharing.read({ token, limit: 2 });
    expect(page).toEqual({
      title: "A talk",
      description: "Said",
      items: [
        expect.objectContaining({ id: answer, content: "Because", role: "assistant", model: "demo", authorName: null }),
        expect.objectContaining({ id: running, status: "running" }),
      ],
      nextCursor: question,
    });
    const rest = await node.sharing.read({ token, limit: 2, cursor: page.nextCursor ?? "" });
    expect(rest).toMatchObject({ items: [{ id: question, content: "Why?", authorName: "Ada" }], nextCursor: null });
    expect(JSON.stringify([page, rest])).not.toContain(owner.userId);
    expect(JSON.stringify([page, rest])).not.toContain("Another branch");
  });

  test("a link shows nothing of another conversation", async () => {
    const [shared, other] = await Promise.all([three(), three()]);
    await say(shared.id, { content: "Shown" });
    const hidden = await say(other.id, { content: "Hidden" });
    const { shareUrl } = await node.sharing.share(shared.owner, { id: shared.id, on: true }, origin);
    await refused(node.sharing.read({ token: tokenOf(shareUrl), cursor: hidden }), "not_found");
    await refused(node.sharing.read({ token: tokenOf(shareUrl), cursor: missing }), "not_found");
    await refused(node.sharing.read({ token: "made-up" }), "not_found");
  });
});
