import type { LiveEvent } from "@parley/contract/events";
import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";

const sweep = "end typing";
const nobody = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("typing on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  const told = (heard: LiveEvent[], userId: string) =>
    heard.flatMap((event) =>
      event.type === "typing" && (event.who === "model" ? "model" : event.who.id) === userId ? [event.typing] : [],
    );
  const say = (actor: Actor, conversationId: string, typing = true) => node.typing.say(actor, { conversationId, typing });

  async function pair() {
    const [owner, guest] = await chat.people(2);
    if (!owner || !guest) throw new Error("There are two");
    const conversationId = await chat.room(owner, guest);
    const [ears, own] = [await chat.listen(owner), await chat.listen(guest)];
    return { owner, guest, conversationId, ears: ears.heard, own: own.heard };
  }

  test("the others hear who types and who has stopped, each once", async () => {
    const { guest, conversationId, ears, own } = await pair();
    await say(guest, conversationId);
    expect(ears.at(-1)).toEqual({
      type: "typing",
      conversationId,
      who: { id: guest.userId, name: "Person", avatar: null },
      typing: true,
    });
    await say(guest, conversationId, false);
    await say(guest, conversationId, false);
    expect(told(ears, guest.userId)).toEqual([true, false]);
    expect(told(own, guest.userId)).toEqual([]);
  });

  test("what is repeated is handed on once a second", async () => {
    const { guest, conversationId, ears } = await pair();
    for (let count = 0; count < 5; count++) await say(guest, conversationId);
    expect(told(ears, guest.userId)).toEqual([true]);
    node.clock.advance({ seconds: 1 });
    for (let count = 0; count < 5; count++) await say(guest, conversationId);
    expect(told(ears, guest.userId)).toEqual([true, true]);
  });

  test("of twenty calls at once the last one holds", async () => {
    const { guest, conversationId, ears } = await pair();
    await Promise.all(Array.from({ length: 20 }, (_, index) => say(guest, conversationId, index % 2 === 0)));
    expect(told(ears, guest.userId)).toEqual([false]);
  });

  test("it ends by itself after eight seconds of silence, once", async () => {
    const { guest, conversationId, ears } = await pair();
    await say(guest, conversationId);
    node.clock.advance({ seconds: 7 });
    await node.round(sweep);
    await say(guest, conversationId);
    node.clock.advance({ seconds: 7 });
    await node.round(sweep);
    await node.background.settled();
    expect(told(ears, guest.userId)).toEqual([true, true]);
    node.clock.advance({ seconds: 1 });
    await node.round(sweep);
    await node.round(sweep);
    await node.background.settled();
    expect(told(ears, guest.userId)).toEqual([true, true, false]);
  });

  test("it ends with the message, and with leaving the room", async () => {
    const { guest, conversationId, ears } = await pair();
    await say(guest, conversationId);
    await chat.say(guest, conversationId);
    await node.background.settled();
    expect(told(ears, guest.userId)).toEqual([true, false]);
    await node.presences.enter(guest, { conversationId });
    await say(guest, conversationId);
    await node.presences.exit(guest, { conversationId });
    await node.background.settled();
    expect(told(ears, guest.userId)).toEqual([true, false, true, false]);
  });

  test("it ends with the membership, and who was removed hears and says nothing more", async () => {
    const { owner, guest, conversationId, ears, own } = await pair();
    await say(guest, conversationId);
    await chat.remove(conversationId, guest);
    node.access.apply({ kind: "membership_ended", userId: guest.userId, conversationId });
    await node.background.settled();
    expect(told(ears, guest.userId)).toEqual([true, false]);
    await expect(say(guest, conversationId)).rejects.toMatchObject({ reason: "not_found" });
    await say(owner, conversationId);
    expect(told(own, owner.userId)).toEqual([]);
  });

  test("a viewer may not, and a stranger's room and one that does not exist are refused alike", async () => {
    const { conversationId, ears } = await pair();
    const [viewer, stranger] = await chat.people(2);
    if (!viewer || !stranger) throw new Error("There are two");
    await chat.join(conversationId, viewer, "viewer");
    for (const refused of await Promise.allSettled([say(viewer, conversationId), say(viewer, conversationId)])) {
      expect(refused).toMatchObject({ reason: { reason: "forbidden" } });
    }
    const missing = { reason: "not_found", message: "This conversation does not exist" };
    for (const id of [conversationId, conversationId, nobody]) await expect(say(stranger, id)).rejects.toMatchObject(missing);
    expect(ears.filter(({ type }) => type === "typing")).toEqual([]);
  });

  test("the model types while it answers", async () => {
    const { owner, conversationId, ears } = await pair();
    await node.turns.send(owner, { clientMessageId: "asked", content: "Hello", conversationId });
    await node.background.settled();
    expect(told(ears, "model")).toEqual([true, false]);
  });
});
