import {
  databaseKinds,
  openTestDatabase,
  type TestChat,
  type TestDatabase,
  testChat,
  testOrigin,
  testServices,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";

const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("the search on %s", (kind) => {
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

  async function write(actor: Actor, content: string, conversationId?: string) {
    const { message } = await node.turns.send(actor, {
      clientMessageId: node.ports.ids.next(),
      content,
      answer: false,
      conversationId,
    });
    return message;
  }

  /** Rows that nobody has sent: all in one conversation, oldest first. */
  async function fill(conversationId: string, count: number, content: (place: string) => string) {
    await database.database.execute(sql`
      insert into messages (id, conversation_id, role, content, status)
      select ('01a00000-0000-7000-8000-' || lpad(to_hex(place + ${count}::int * (select count(*) from messages)), 12, '0'))::uuid,
        ${conversationId}::uuid, 'assistant', ${sql.raw(content("place"))}, 'complete' from generate_series(1, ${count}::int) place`);
    await database.database.execute(
      sql`update conversations set message_count = message_count + ${count}::int where id = ${conversationId}::uuid`,
    );
  }

  const wordsIn = ({ text, matches }: { text: string; matches: { from: number; to: number }[] }) =>
    matches.map(({ from, to }) => text.slice(from, to));

  async function found(actor: Actor, text: string, more: { conversationId?: string } = {}) {
    const { items } = await node.messages.search(actor, { text, ...more });
    return items.map(({ excerpt }) => ({ text: excerpt.text, words: wordsIn(excerpt) }));
  }

  test("words are found and shown in four scripts, in other forms than they were asked for", async () => {
    const { actor } = await node.person();
    const { conversationId } = await write(actor, "She was running, and the cat is dying");
    const rest = ["Мы говорили о книгах. Ёлки!", "زرنا المكتبات القديمة", "קראתי את הסֵפֶר בבית, ובספר אחר"];
    for (const content of rest) await write(actor, content, conversationId);
    for (const [question, words] of [
      ["run", ["running"]],
      ["RUNS cats", ["running", "cat"]],
      ["die", ["dying"]],
      ["книга", ["книгах"]],
      ["елка", ["Ёлки"]],
      ["مكتبة", ["المكتبات"]],
      ["ספר", ["הסֵפֶר", "ובספר"]],
      ["הספר", ["הסֵפֶר", "ובספר"]],
    ] as const) {
      const [first, ...others] = await found(actor, question);
      expect(first?.words, question).toEqual(words);
      expect(others).toEqual([]);
    }
    expect(await found(actor, "walk")).toEqual([]);
    expect(await found(actor, "cat -dying")).toEqual([]);
    expect(await found(actor, '"cat running"')).toEqual([]);
  });

  test("it finds what a person may read: the newest first, page after page, in all conversations or in one", async () => {
    const { actor, user } = await node.person();
    const stranger = await node.person();
    const first = await write(actor, "Lighthouse 0");
    const second = await write(actor, "Lighthouse 1");
    for (const index of [2, 3, 4]) await write(actor, `Lighthouse ${index}`, index % 2 === 0 ? first.conversationId : undefined);
    await write(stranger.actor, "Lighthouse of a stranger");

    const texts: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await node.messages.search(actor, { text: "lighthouses", cursor, limit: 2 });
      texts.push(...page.items.map(({ excerpt }) => excerpt.text));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(texts).toEqual([4, 3, 2, 1, 0].map((index) => `Lighthouse ${index}`));
    const { conversationId } = second;
    expect(await node.messages.search(actor, { text: "lighthouse", conversationId })).toEqual({
      items: [
        {
          messageId: second.id,
          conversationId,
          conversationTitle: "Lighthouse 1",
          role: "user",
          author: { id: user.id, name: expect.any(String), avatar: null },
          createdAt: second.createdAt,
          excerpt: { text: "Lighthouse 1", matches: [{ from: 0, to: 10 }] },
        },
      ],
      nextCursor: null,
    });
    for (const foreign of [conversationId, missing]) {
      await expect(node.messages.search(stranger.actor, { text: "lighthouse", conversationId: foreign })).rejects.toMatchObject({
        reason: "not_found",
        message: "This conversation does not exist",
      });
    }
    await chat.join(conversationId, stranger.actor, "viewer");
    expect(await found(stranger.actor, "lighthouse", { conversationId })).toHaveLength(1);
    await database.database.execute(sql`delete from members where user_id = ${stranger.user.id}::uuid`);
    expect(await found(stranger.actor, "lighthouse")).toEqual([]);
    await expect(node.messages.search(actor, { text: "lighthouse", cursor: "nonsense" })).rejects.toMatchObject({
      reason: "invalid_input",
      issues: [{ path: "cursor" }],
    });
  });

  test("an edit changes what is found", async () => {
    const { actor } = await node.person();
    const { id } = await write(actor, "Gooseberry");
    await node.messages.edit(actor, { id, content: "Blackcurrant" }, testOrigin);
    expect(await found(actor, "gooseberry")).toEqual([]);
    expect(await found(actor, "blackcurrants")).toHaveLength(1);
  });

  test("a word is shown wherever it is in a text of 200,000 characters", async () => {
    const { actor } = await node.person();
    const { conversationId } = await write(actor, "Short");
    const long = `${"слово book كلمة מילה ".repeat(9_500)}`.slice(0, 199_950);
    await fill(conversationId, 1, () => `'${long} the albatrosses are here'`);
    const [shown] = await found(actor, "albatross");
    expect(shown?.words).toEqual(["albatrosses"]);
    expect(shown?.text).toMatch(/^….* the albatrosses are here$/);
    const [early] = await found(actor, "books");
    expect(early?.text).toMatch(/^слово book .*…$/);
    expect(early?.words[0]).toBe("book");
  });

  test("hostile questions and texts are answered", async () => {
    const { actor } = await node.person();
    const { conversationId } = await write(actor, "the and of");
    for (const text of [
      "'\"!&|()<->:*\\",
      "e\u0301".repeat(3_000),
      "a".repeat(9_000),
      "🏳️‍🌈".repeat(500),
      "'); drop table messages; --",
    ]) {
      await write(actor, text, conversationId);
    }
    for (const question of [
      "!".repeat(10_000),
      "-".repeat(10_000),
      "- ".repeat(5_000),
      '"'.repeat(9_999),
      '" '.repeat(5_000),
      "the and of",
      "-dog",
      "cat or -dog",
      "or or or",
      "( & | ! <-> )",
      "a:*",
      "'",
      "\\",
      "%_",
      "א".repeat(10_000),
      "ـ".repeat(10_000),
      "\u0301".repeat(10_000),
      "🏳️‍🌈".repeat(1_000),
      "'quoted' \"and open",
      "not".repeat(3_000),
    ]) {
      expect((await node.messages.search(actor, { text: question })).items, question.slice(0, 20)).toEqual([]);
    }
    expect(await found(actor, "drop table")).toMatchObject([{ words: ["drop", "table"] }]);
  });

  test("among many messages rare and frequent words are found alike, and no page leaves one out", async () => {
    const { actor } = await node.person();
    const { conversationId } = await write(actor, "Begin");
    const other = await write(actor, "Other");
    await fill(
      conversationId,
      10_500,
      (place) => `'common ' || case when ${place} % 2000 = 7 then 'rare' else '' end || ' old ' || ${place}`,
    );
    await fill(
      other.conversationId,
      5_500,
      (place) => `'common ' || case when ${place} % 2000 = 7 then 'rare' else '' end || ' new ' || ${place}`,
    );
    const all = async (text: string, more: { conversationId?: string; limit?: number } = {}) => {
      const ids: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await node.messages.search(actor, { text, cursor, ...more });
        ids.push(...page.items.map(({ messageId }) => messageId));
        if (page.nextCursor === null || ids.length >= 100) return ids;
        cursor = page.nextCursor;
      }
    };
    const expected = async (word: string, of?: string) => {
      const rows = await database.database.query.messages.findMany({
        columns: { id: true, conversationId: true },
        where: (row, { and, ilike, inArray }) =>
          and(ilike(row.content, `%${word}%`), inArray(row.conversationId, [conversationId, other.conversationId])),
        orderBy: (row, { desc }) => desc(row.id),
      });
      return rows.flatMap((row) => (of === undefined || row.conversationId === of ? [row.id] : [])).slice(0, 100);
    };
    for (const limit of [1, 20]) expect(await all("rares", { limit })).toEqual(await expected("rare"));
    expect(await all("rare", { conversationId })).toEqual(await expected("rare", conversationId));
    expect(await all("common")).toEqual(await expected("common"));
    expect(await all("old")).toEqual(await expected("old"));
    expect(await all("old", { conversationId })).toEqual(await expected("old", conversationId));
    expect(await all("old", { conversationId: other.conversationId })).toEqual([]);
  });
});
