import { databaseKinds, openTestDatabase, type TestChat, type TestDatabase, testChat, testServices } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { schema } from "../database/index.ts";

const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("messages on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let chat: TestChat;

  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database);
    chat = testChat(node);
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  async function write(actor: Actor, content: string, place: { conversationId?: string; parentId?: string } = {}) {
    const { message } = await node.turns.send(actor, {
      clientMessageId: node.ports.ids.next(),
      content,
      answer: false,
      ...place,
    });
    return message;
  }

  async function writeAll(actor: Actor, contents: readonly string[]) {
    const [first, ...others] = contents;
    const begin = await write(actor, first ?? "");
    const messages = [begin];
    for (const content of others) messages.push(await write(actor, content, { conversationId: begin.conversationId }));
    return messages;
  }

  const contents = async (actor: Actor, conversationId: string, more: { leafId?: string } = {}) =>
    (await node.messages.list(actor, { conversationId, ...more })).items.map(({ content }) => content);

  test("pages go up the branch, each before its cursor, and together they are the branch", async () => {
    const { actor } = await node.person();
    const written = await writeAll(actor, ["1", "2", "3", "4", "5", "6", "7"]);
    const { conversationId } = written[0] ?? { conversationId: "" };
    const pages: string[][] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await node.messages.list(actor, { conversationId, cursor, limit: 3 });
      pages.push(page.items.map(({ content }) => content));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([["5", "6", "7"], ["2", "3", "4"], ["1"]]);
    const before = await node.messages.list(actor, { conversationId, cursor: written[0]?.id });
    expect(before).toEqual({ items: [], nextCursor: null, ratings: [] });
    expect((await node.messages.list(actor, { conversationId, limit: 7 })).nextCursor).toBeNull();
  });

  test("a conversation without messages has an empty page; somebody else's and a missing one do not exist", async () => {
    const { actor } = await node.person();
    const stranger = await node.person();
    const conversationId = node.ports.ids.next();
    await database.database.insert(schema.conversations).values({ id: conversationId, title: "Empty" });
    await chat.join(conversationId, actor, "owner");
    expect(await node.messages.list(actor, { conversationId })).toEqual({ items: [], nextCursor: null, ratings: [] });
    const theirs = await write(stranger.actor, "Theirs");
    for (const id of [theirs.conversationId, missing]) {
      await expect(node.messages.list(actor, { conversationId: id })).rejects.toMatchObject({
        reason: "not_found",
        message: "This conversation does not exist",
      });
    }
    for (const place of [{ cursor: theirs.id }, { leafId: theirs.id }, { cursor: missing }, { leafId: missing }]) {
      await expect(node.messages.list(actor, { conversationId, ...place })).rejects.toMatchObject({
        reason: "not_found",
        message: "This message does not exist",
      });
    }
  });

  test("everybody looks at a branch of their own", async () => {
    const { actor } = await node.person();
    const viewer = await node.person();
    const [root] = await writeAll(actor, ["Root"]);
    const place = { conversationId: root?.conversationId ?? "", parentId: root?.id };
    await chat.join(place.conversationId, viewer.actor, "viewer");
    const left = await write(actor, "Left", place);
    await write(actor, "Left below", { ...place, parentId: left.id });
    const right = await write(actor, "Right", place);

    expect(await contents(viewer.actor, place.conversationId)).toEqual(["Root", "Right"]);
    const [mine, others] = await Promise.all([chat.listen(viewer.actor), chat.listen(actor)]);
    await node.messages.showBranch(viewer.actor, { conversationId: place.conversationId, messageId: left.id });
    await node.messages.showBranch(viewer.actor, { conversationId: place.conversationId, messageId: left.id });
    expect(await contents(viewer.actor, place.conversationId)).toEqual(["Root", "Left", "Left below"]);
    expect(await contents(actor, place.conversationId)).toEqual(["Root", "Right"]);
    expect(await contents(viewer.actor, place.conversationId, { leafId: right.id })).toEqual(["Root", "Right"]);
    expect(mine.heard.map(({ type }) => type)).toEqual(["conversation-updated"]);
    expect(others.heard).toEqual([]);

    await node.messages.showBranch(viewer.actor, { conversationId: place.conversationId, messageId: root?.id ?? "" });
    expect(await contents(viewer.actor, place.conversationId)).toEqual(["Root", "Right"]);
    const [member] = await database.database.query.members.findMany({
      where: (row, { eq }) => eq(row.userId, viewer.actor.userId),
    });
    expect(member?.leafId).toBeNull();
  });

  test("a branch of another conversation cannot be shown, nor one of somebody else's", async () => {
    const { actor } = await node.person();
    const stranger = await node.person();
    const mine = await write(actor, "Mine");
    const other = await write(actor, "Other");
    for (const [who, conversationId, messageId] of [
      [actor, mine.conversationId, other.id],
      [actor, mine.conversationId, missing],
      [stranger.actor, mine.conversationId, mine.id],
      [stranger.actor, missing, missing],
    ] as const) {
      await expect(node.messages.showBranch(who, { conversationId, messageId })).rejects.toMatchObject({
        reason: "not_found",
        message: "This message does not exist in this conversation",
      });
    }
  });

  test("the end of a branch is found however deep it lies, and is looked at by twenty calls at once", async () => {
    const { actor } = await node.person();
    const root = await write(actor, "Root");
    const length = 10_500;
    const idAt = (place: number) => `01a1ff00-0000-7000-8000-${place.toString(16).padStart(12, "0")}`;
    await database.database.execute(sql`
      insert into messages (id, conversation_id, parent_id, role, content, status)
      select ('01a1ff00-0000-7000-8000-' || lpad(to_hex(place), 12, '0'))::uuid, ${root.conversationId}::uuid,
        case when place = 0 then ${root.id}::uuid else ('01a1ff00-0000-7000-8000-' || lpad(to_hex(place - 1), 12, '0'))::uuid end,
        'user', place::text, 'complete' from generate_series(0, ${length - 1}::int) place`);
    const show = () => node.messages.showBranch(actor, { conversationId: root.conversationId, messageId: root.id });
    await Promise.all(Array.from({ length: 20 }, show));
    expect((await contents(actor, root.conversationId)).at(-1)).toBe(String(length - 1));
    const deep = await node.messages.list(actor, { conversationId: root.conversationId, cursor: idAt(50), limit: 100 });
    expect(deep.items.map(({ content }) => content).slice(0, 2)).toEqual(["Root", "0"]);
    expect(deep.items).toHaveLength(51);
  });

  test("a message tells its siblings, also among a thousand", async () => {
    const { actor } = await node.person();
    const root = await write(actor, "Root");
    await database.database.execute(sql`
      insert into messages (id, conversation_id, parent_id, role, content, status)
      select gen_random_uuid(), ${root.conversationId}::uuid, ${root.id}::uuid, 'user', 'Sibling', 'complete'
      from generate_series(1, 999)`);
    const last = await write(actor, "Last", { conversationId: root.conversationId, parentId: root.id });
    const [, shown] = (await node.messages.list(actor, { conversationId: root.conversationId })).items;
    expect(shown?.siblings.ids).toHaveLength(1_000);
    expect(shown?.siblings.ids[shown.siblings.index]).toBe(last.id);
    expect(await node.messages.get(actor, last.id)).toEqual(shown);
  });

  test("ratings are everybody's own, come with the page, and can be taken back", async () => {
    const { actor } = await node.person();
    const viewer = await node.person();
    const [first, second] = await writeAll(actor, ["One", "Two"]);
    const messageId = first?.id ?? "";
    const conversationId = first?.conversationId ?? "";
    await chat.join(conversationId, viewer.actor, "viewer");
    await node.messages.rate(viewer.actor, { messageId, rating: "down", note: "Too short" });
    await node.messages.rate(actor, { messageId, rating: "up" });
    await node.messages.rate(actor, { messageId: second?.id ?? "", rating: "up" });
    const ratings = async (who: Actor, limit?: number) => (await node.messages.list(who, { conversationId, limit })).ratings;
    expect(await ratings(viewer.actor)).toEqual([{ messageId, rating: "down", note: "Too short" }]);
    expect(await ratings(actor, 1)).toEqual([{ messageId: second?.id, rating: "up", note: null }]);

    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        node.messages.rate(viewer.actor, { messageId, rating: index % 2 === 0 ? "up" : "down" }),
      ),
    );
    expect(await ratings(viewer.actor)).toHaveLength(1);
    await node.messages.rate(viewer.actor, { messageId, rating: null });
    await node.messages.rate(viewer.actor, { messageId, rating: null });
    expect(await ratings(viewer.actor)).toEqual([]);
    expect(await ratings(actor)).toHaveLength(2);
  });

  test("somebody else's message is as if it did not exist", async () => {
    const owner = await node.person();
    const { actor } = await node.person();
    const theirs = await write(owner.actor, "Theirs");
    for (const id of [theirs.id, missing]) {
      for (const call of [
        () => node.messages.get(actor, id),
        () => node.messages.history(actor, id),
        () => node.messages.rate(actor, { messageId: id, rating: "up" }),
        () => node.messages.rate(actor, { messageId: id, rating: null }),
      ]) {
        await expect(call()).rejects.toMatchObject({ reason: "not_found", message: "This message does not exist" });
      }
    }
    expect(await node.messages.history(owner.actor, theirs.id)).toEqual([]);
  });
});
