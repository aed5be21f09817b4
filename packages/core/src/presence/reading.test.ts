import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";

const origin = { address: "192.0.2.7" };
const nobody = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("reading on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  const mark = (actor: Actor, conversationId: string, messageId: string) =>
    node.reading.mark(actor, { conversationId, messageId });
  const unread = async (actor: Actor, conversationId: string) =>
    (await node.conversations.get(actor, conversationId)).unreadCount;

  async function pair() {
    const [owner, guest] = await chat.people(2);
    if (!owner || !guest) throw new Error("There are two");
    return { owner, guest, conversationId: await chat.room(owner, guest) };
  }

  let asked = 0;
  async function ask(actor: Actor, conversationId: string) {
    const { message, answer } = await node.turns.send(actor, {
      clientMessageId: `asked-${++asked}`,
      content: "Hello",
      conversationId,
    });
    return { questionId: message.id, answerId: answer?.messageId ?? "" };
  }

  test("a question and its answer are unread to the others, and neither is to who asked", async () => {
    const { owner, guest, conversationId } = await pair();
    const { questionId, answerId } = await ask(owner, conversationId);
    await chat.say(owner, conversationId);
    expect(await unread(owner, conversationId)).toBe(0);
    expect(await unread(guest, conversationId)).toBe(3);
    await mark(guest, conversationId, questionId);
    expect(await unread(guest, conversationId)).toBe(2);
    await mark(guest, conversationId, answerId);
    expect(await unread(guest, conversationId)).toBe(1);
    await node.turns.regenerate(owner, { messageId: questionId });
    expect(await unread(guest, conversationId)).toBe(2);
    await mark(guest, conversationId, answerId);
    expect(await unread(guest, conversationId)).toBe(2);
    await mark(owner, conversationId, questionId);
    expect(await unread(owner, conversationId)).toBe(0);
    await node.background.settled();
  });

  test("every member hears how far somebody has read, when it is further than before", async () => {
    const { owner, guest, conversationId } = await pair();
    const first = await chat.say(owner, conversationId);
    const second = await chat.say(owner, conversationId);
    const ears = await Promise.all([owner, guest].map((actor) => chat.listen(actor)));
    for (const { message } of [first, second, second, first]) await mark(guest, conversationId, message.id);
    expect(await unread(guest, conversationId)).toBe(0);
    const read = [first, second].map(({ message }) => ({
      type: "read",
      conversationId,
      userId: guest.userId,
      messageId: message.id,
    }));
    for (const { heard } of ears) expect(heard).toEqual(read);
  });

  test("what was said before somebody came is never unread to them", async () => {
    const { owner, conversationId } = await pair();
    const { message: first } = await chat.say(owner, conversationId);
    await chat.say(owner, conversationId);
    await node.conversations.update(owner, { id: conversationId, visibility: "public" }, origin);
    const { actor: added, email } = await node.person();
    const { actor: joined } = await node.person();
    await node.members.add(owner, { id: conversationId, identifier: email, role: "viewer" }, origin);
    await node.members.join(joined, conversationId, origin);
    await chat.say(owner, conversationId);
    for (const actor of [added, joined]) {
      await mark(actor, conversationId, first.id);
      expect(await unread(actor, conversationId)).toBe(1);
    }
  });

  test("who writes has read what was there", async () => {
    const { owner, guest, conversationId } = await pair();
    const { message } = await chat.say(owner, conversationId);
    await chat.say(owner, conversationId);
    await chat.say(guest, conversationId);
    await mark(guest, conversationId, message.id);
    expect(await unread(guest, conversationId)).toBe(0);
    expect(await unread(owner, conversationId)).toBe(1);
  });

  test("a viewer reads too; who is no member, and what is not of this conversation, is refused", async () => {
    const { owner, guest, conversationId } = await pair();
    const [viewer, stranger] = await chat.people(2);
    if (!viewer || !stranger) throw new Error("There are two");
    await chat.join(conversationId, viewer, "viewer");
    const { message } = await chat.say(owner, conversationId);
    await mark(viewer, conversationId, message.id);
    const noRoom = { reason: "not_found", message: "This conversation does not exist" };
    for (const id of [conversationId, nobody]) await expect(mark(stranger, id, message.id)).rejects.toMatchObject(noRoom);
    const elsewhere = await chat.say(owner);
    const noMessage = { reason: "not_found", message: "This message does not exist in this conversation" };
    for (const id of [elsewhere.message.id, nobody])
      await expect(mark(guest, conversationId, id)).rejects.toMatchObject(noMessage);
    expect(await unread(guest, conversationId)).toBe(1);
  });

  test("the count is exact among turns and marks at once", async () => {
    const { owner, guest, conversationId } = await pair();
    const first = await ask(owner, conversationId);
    const { message } = await chat.say(owner, conversationId);
    const turns = Array.from({ length: 20 }, (_, index) => (index % 2 ? ask : chat.say)(owner, conversationId));
    const marks = Array.from({ length: 40 }, (_, index) => mark(guest, conversationId, index % 2 ? first.answerId : message.id));
    await Promise.all([...turns, ...marks]);
    expect(await unread(guest, conversationId)).toBe(30);
    expect(await unread(owner, conversationId)).toBe(0);
    await node.background.settled();
  });
});
