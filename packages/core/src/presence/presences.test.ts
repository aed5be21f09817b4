import type { LiveEvent } from "@parley/contract/events";
import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat, testOrigin } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const grace = "end presences of silent sessions";
const sweep = "sweep presences";
const renew = "renew presences";
const nobody = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("presence on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  /** Who was in the room, each time that it was told. */
  const told = (heard: LiveEvent[], conversationId: string) =>
    heard.flatMap((event) =>
      event.type === "presence" && event.conversationId === conversationId ? [event.users.map(({ id }) => id)] : [],
    );
  const enter = (actor: Parameters<typeof node.presences.enter>[0], conversationId: string) =>
    node.presences.enter(actor, { conversationId });
  const exit = (actor: Parameters<typeof node.presences.exit>[0], conversationId: string) =>
    node.presences.exit(actor, { conversationId });
  const idsOf = ({ users }: { users: { id: string }[] }) => users.map(({ id }) => id);

  async function pair() {
    const [owner, guest] = await chat.people(2);
    if (!owner || !guest) throw new Error("There are two");
    return { owner, guest, conversationId: await chat.room(owner, guest) };
  }

  test("who enters is confirmed and told to every member, and so is who exits", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    expect(await enter(owner, conversationId)).toEqual({ users: [{ id: owner.userId, name: "Person", avatar: null }] });
    expect(idsOf(await enter(guest, conversationId))).toEqual([owner.userId, guest.userId].sort());
    await exit(guest, conversationId);
    await exit(guest, conversationId);
    expect(told(ears.heard, conversationId)).toEqual([[owner.userId], [owner.userId, guest.userId].sort(), [owner.userId]]);
  });

  test("a viewer is present like anybody else", async () => {
    const { owner, conversationId } = await pair();
    const [viewer] = await chat.people(1);
    if (!viewer) throw new Error("There is one");
    await chat.join(conversationId, viewer, "viewer");
    const ears = await chat.listen(owner);
    await enter(viewer, conversationId);
    expect(told(ears.heard, conversationId)).toEqual([[viewer.userId]]);
  });

  test("a second device is told to nobody, and a person leaves with the last", async () => {
    const { owner, guest, conversationId } = await pair();
    const phone = chat.device(guest);
    const ears = await chat.listen(owner);
    await enter(guest, conversationId);
    expect(idsOf(await enter(phone, conversationId))).toEqual([guest.userId]);
    await exit(guest, conversationId);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    await exit(phone, conversationId);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
  });

  test("twenty devices at once are one coming and one going", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    const devices = Array.from({ length: 20 }, () => chat.device(guest));
    await Promise.all(devices.map((device) => enter(device, conversationId)));
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    await Promise.all(devices.map((device) => exit(device, conversationId)));
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
  });

  test("of twenty people at once, each list that is told has one more, and then one less", async () => {
    const [owner, ...guests] = await chat.people(21);
    if (!owner) throw new Error("There is one");
    const conversationId = await chat.room(owner, ...guests);
    const ears = await chat.listen(owner);
    await Promise.all(guests.map((guest) => enter(guest, conversationId)));
    const up = Array.from({ length: 20 }, (_, index) => index + 1);
    expect(told(ears.heard, conversationId).map(({ length }) => length)).toEqual(up);
    await Promise.all(guests.map((guest) => exit(guest, conversationId)));
    const down = up.map((count) => 20 - count);
    expect(told(ears.heard, conversationId).map(({ length }) => length)).toEqual([...up, ...down]);
  });

  test("comings and goings among messages hold nobody up", async () => {
    const { owner, guest, conversationId } = await pair();
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const device = chat.device(guest);
        await enter(device, conversationId);
        await chat.say(owner, conversationId);
        await exit(device, conversationId);
      }),
    );
    expect(idsOf(await enter(owner, conversationId))).toEqual([owner.userId]);
  });

  test("a stranger's room and one that does not exist are refused alike", async () => {
    const { conversationId } = await pair();
    const [stranger] = await chat.people(1);
    if (!stranger) throw new Error("There is one");
    const missing = { reason: "not_found", message: "This conversation does not exist" };
    for (const id of [conversationId, nobody]) {
      await expect(enter(stranger, id)).rejects.toMatchObject(missing);
      await expect(exit(stranger, id)).rejects.toMatchObject(missing);
    }
  });

  test("a session is in fifty rooms at most, also when it enters many at once", async () => {
    const [owner] = await chat.people(1);
    if (!owner) throw new Error("There is one");
    const rooms: string[] = [];
    for (let count = 0; count < 60; count++) rooms.push(await chat.room(owner));
    const entered = await Promise.allSettled(rooms.map((room) => enter(owner, room)));
    expect(entered.filter(({ status }) => status === "fulfilled")).toHaveLength(50);
    const refused = rooms.find((_, index) => entered[index]?.status === "rejected") ?? "";
    const inside = rooms.find((_, index) => entered[index]?.status === "fulfilled") ?? "";
    await expect(enter(owner, refused)).rejects.toMatchObject({ reason: "conflict" });
    await enter(owner, inside);
    await exit(owner, inside);
    await enter(owner, refused);
  });

  test("who reconnects within the grace has not been away; who does not has left", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    const first = await chat.listen(guest);
    await enter(guest, conversationId);
    first.stop();
    await chat.pass({ seconds: 4 });
    await node.round(grace);
    const second = await chat.listen(guest);
    await node.background.settled();
    await chat.pass({ seconds: 60 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    second.stop();
    second.stop();
    await chat.pass({ seconds: 5 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
  });

  test("a session listens as long as one of its streams does", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    const [first, second] = [await chat.listen(guest), await chat.listen(guest)];
    await enter(guest, conversationId);
    first.stop();
    first.stop();
    await chat.pass({ seconds: 30 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    second.stop();
    await chat.pass({ seconds: 6 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
  });

  test("a stream that is read as an iterator is over when its signal says so, even while nobody reads", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    const controller = new AbortController();
    const feed = await node.live.follow(guest, {}, controller.signal);
    const events = feed[Symbol.asyncIterator]();
    const next = events.next();
    await enter(guest, conversationId);
    expect((await next).value).toMatchObject({ event: { type: "presence" } });
    // What the stream has begun by beginning is over before it ends.
    await node.background.settled();
    controller.abort();
    await chat.pass({ seconds: 6 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
    await events.return?.();
  });

  test("who reconnects to another node has not been away", async () => {
    const { owner, guest, conversationId } = await pair();
    const other = chat.another();
    const ears = await chat.listen(owner);
    const here = await chat.listen(guest);
    await enter(guest, conversationId);
    here.stop();
    await chat.pass({ seconds: 4 });
    await chat.listen(guest, other);
    await other.background.settled();
    await chat.pass({ seconds: 2 });
    await node.round(grace);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    await other.stop();
  });

  test("presence lasts while its node renews it, and a node that was killed is cleared away by another, once", async () => {
    const { owner, guest, conversationId } = await pair();
    const other = chat.another();
    const [here, there] = [await chat.listen(owner), await chat.listen(owner, other)];
    await chat.listen(guest, other);
    await other.presences.enter(guest, { conversationId });
    for (let round = 0; round < 4; round++) {
      await chat.pass({ seconds: 30 });
      await other.round(renew);
      await node.round(sweep);
    }
    await chat.pass({ seconds: 60 });
    await node.round(renew);
    await node.round(sweep);
    expect(told(here.heard, conversationId)).toEqual([]);
    await chat.pass({ seconds: 31 });
    await Promise.all([node.round(sweep), node.round(sweep)]);
    await other.round(sweep);
    expect(told(here.heard, conversationId)).toEqual([[]]);
    expect(told(there.heard, conversationId)).toEqual([[guest.userId]]);
    await other.stop();
  });

  test("a room without a stream is left when its lease ends, and is told once", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    await enter(guest, conversationId);
    await chat.pass({ seconds: 60 });
    await enter(guest, conversationId);
    await chat.pass({ seconds: 60 });
    await node.round(sweep);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId]]);
    await chat.pass({ seconds: 31 });
    await Promise.all([node.round(sweep), node.round(sweep)]);
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
  });

  test("presence ends with its session, which the person's other devices hear of", async () => {
    const { owner, guest, conversationId } = await pair();
    const [ears, phone] = [await chat.listen(owner), await chat.listen(chat.device(guest))];
    await enter(guest, conversationId);
    await node.sessions.endOne(guest, guest.sessionId, "logout", testOrigin);
    await node.background.settled();
    expect(told(ears.heard, conversationId)).toEqual([[guest.userId], []]);
    expect(phone.heard.filter(({ type }) => type === "session-ended")).toEqual([
      { type: "session-ended", sessionId: guest.sessionId },
    ]);
  });

  test("presence ends with a membership, and who is no member is not renewed", async () => {
    const { owner, guest, conversationId } = await pair();
    const ears = await chat.listen(owner);
    const gone = await chat.listen(guest);
    await enter(guest, conversationId);
    await chat.remove(conversationId, guest);
    expect(idsOf(await enter(owner, conversationId))).toEqual([owner.userId]);
    node.access.apply({ kind: "membership_ended", userId: guest.userId, conversationId });
    await node.background.settled();
    expect(told(ears.heard, conversationId).at(-1)).toEqual([owner.userId]);
    expect(told(gone.heard, conversationId)).toEqual([[guest.userId]]);
    await expect(exit(guest, conversationId)).rejects.toMatchObject({ reason: "not_found" });
  });

  test("a device that comes back hears what is kept, and nothing that has passed", async () => {
    const { owner, guest, conversationId } = await pair();
    const first = await node.live.follow(owner, {});
    const events = first[Symbol.asyncIterator]();
    const next = events.next();
    const { message } = await chat.say(owner, conversationId);
    const kept = (await next).value;
    await events.return?.();
    await enter(guest, conversationId);
    const { message: later } = await chat.say(owner, conversationId);
    const resumed = (await node.live.follow(owner, { lastEventId: kept?.id }))[Symbol.asyncIterator]();
    expect(kept).toMatchObject({ event: { type: "message-created", message: { id: message.id } } });
    expect((await resumed.next()).value).toMatchObject({ event: { type: "message-created", message: { id: later.id } } });
    const passing = resumed.next();
    await exit(guest, conversationId);
    const entry = (await passing).value;
    expect(entry).toMatchObject({ event: { type: "presence" } });
    await resumed.return?.();
    const again = (await node.live.follow(owner, { lastEventId: entry?.id }))[Symbol.asyncIterator]();
    const { message: last } = await chat.say(owner, conversationId);
    expect((await again.next()).value).toMatchObject({ event: { type: "message-created", message: { id: last.id } } });
    await again.return?.();
  });

  test("what passes at once is all heard, by a reader who takes one at a time too", async () => {
    const { owner, guest, conversationId } = await pair();
    const events = (await node.live.follow(owner, {}))[Symbol.asyncIterator]();
    const next = events.next();
    await chat.say(guest, conversationId);
    for (const sessions of [[], [guest]]) {
      const users = sessions.map(({ userId }) => ({ id: userId, name: "Person", avatar: null }));
      node.live.tellNow([owner.userId], { type: "presence", conversationId, users });
    }
    expect((await next).value).toMatchObject({ event: { type: "message-created" } });
    expect((await events.next()).value).toMatchObject({ event: { type: "presence", users: [] } });
    expect((await events.next()).value).toMatchObject({ event: { type: "presence", users: [{ id: guest.userId }] } });
    await events.return?.();
  });
});
