import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conversations } from "../database/schema.ts";
import { createAnnouncements } from "./announcements.ts";

const origin = { address: "192.0.2.7" };

describe.each(databaseKinds)("announcements on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  async function three() {
    const [owner, editor, viewer] = await Promise.all([node.person(), node.person(), node.person()]);
    const id = await chat.together([owner.actor, "owner"], [editor.actor, "editor"], [viewer.actor, "viewer"]);
    return { id, owner: owner.actor, editor: editor.actor, viewer: viewer.actor };
  }

  test("twenty changes at once are told once, as it is after the last of them", async () => {
    const { id, owner, viewer } = await three();
    const { heard: told } = await chat.listen(viewer);
    const titles = Array.from({ length: 20 }, (_, index) => `Title ${index}`);
    await Promise.all(titles.map((title) => node.conversations.update(owner, { id, title }, origin)));
    await node.background.settled();
    expect(told).toEqual([{ type: "conversation-updated", conversation: await node.conversations.get(viewer, id) }]);
  });

  test("what is told was read when it was quiet: what another node has changed meanwhile is in it", async () => {
    const { id, owner, viewer } = await three();
    const { heard: told } = await chat.listen(viewer);
    await node.conversations.update(owner, { id, title: "Here" }, origin);
    await node.database.update(conversations).set({ title: "Elsewhere" }).where(eq(conversations.id, id));
    await node.background.settled();
    expect(told).toMatchObject([{ conversation: { title: "Elsewhere" } }]);
  });

  test("a conversation that is changed all the time is told of all the same", async () => {
    const { id, viewer } = await three();
    const { heard: told } = await chat.listen(viewer);
    const announcements = createAnnouncements(node.ports, { publicUrl: "https://parley.example" }, node);
    const changing = setInterval(() => announcements.updated(id), 20);
    try {
      await expect.poll(() => told.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
    } finally {
      clearInterval(changing);
    }
    await node.background.settled();
  });

  test("whoever has gone before it is told hears nothing of it", async () => {
    const { id, owner, editor, viewer } = await three();
    const [theirs, others] = await Promise.all([chat.listen(viewer), chat.listen(editor)]);
    await node.conversations.update(owner, { id, title: "Secret" }, origin);
    await node.members.remove(owner, { id, userId: viewer.userId }, origin);
    await node.background.settled();
    expect(theirs.heard).toEqual([{ type: "conversation-deleted", conversationId: id }]);
    expect(others.heard.map(({ type }) => type)).toEqual(["member-left", "conversation-updated"]);
  });
});
