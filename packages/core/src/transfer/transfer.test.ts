import type { Message } from "@parley/contract";
import { ImportConversation } from "@parley/contract";
import { schema } from "@parley/core/database";
import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";

const { conversations, members, messageRatings, messages, runs, usageLedger } = schema;
const caller = { address: "127.0.0.1" };
const now = Date.now();

describe.each(databaseKinds)("a conversation on %s", (kind) => {
  let node: TestAccounts;
  beforeAll(async () => {
    node = await testAccounts(kind);
  });
  afterAll(() => node.stop());

  type Row = Partial<typeof messages.$inferInsert>;

  /** Messages as given, each a second after the one before. */
  async function conversation(owner: string, rows: (Row & { content: string })[] = [], given: object = {}) {
    const id = node.ids.next();
    // Not a day ago: a message whose id is more than a day younger than itself is sorted by its own time.
    const createdAt = new Date(now - 3_600_000);
    await node.database.insert(conversations).values({ id, title: "A talk", createdAt, messageCount: rows.length, ...given });
    await node.database.insert(members).values({ conversationId: id, userId: owner, role: "owner" });
    const filled = rows.map((row, index) => ({
      id: node.ids.next(),
      conversationId: id,
      role: "user" as const,
      status: "complete" as const,
      parts: row.content === "" ? [] : [{ type: "text" as const, text: row.content }],
      createdAt: new Date(createdAt.getTime() + index * 1_000),
      ...row,
    }));
    for (let from = 0; from < filled.length; from += 1_000) {
      await node.database.insert(messages).values(filled.slice(from, from + 1_000));
    }
    const leafId = filled.at(-1)?.id ?? null;
    await node.database.update(conversations).set({ leafId }).where(eq(conversations.id, id));
    return { id, ids: filled.map((row) => row.id) };
  }

  const exported = (actor: Actor, id: string, cursor?: string) =>
    node.transfer.export(actor, { id, format: "json", cursor }, caller);
  const markdown = (actor: Actor, id: string, cursor?: string) =>
    node.transfer.export(actor, { id, format: "markdown", cursor }, caller);

  async function allParts(read: (cursor?: string) => ReturnType<typeof exported>) {
    const parts = [await read()];
    for (let last = parts[0]; last?.nextCursor; last = parts.at(-1)) parts.push(await read(last.nextCursor));
    return parts;
  }

  /** As it comes over the wire. */
  const importing = (actor: Actor, data: unknown, into?: string) =>
    node.transfer.import(actor, ImportConversation.parse({ data, into }), caller);
  const rowsOf = (id: string) =>
    node.database.select().from(messages).where(eq(messages.conversationId, id)).orderBy(messages.id);

  /** What a file says, with ids replaced by their places. */
  function contentOf(content: string) {
    const file = JSON.parse(content);
    const places = new Map<string | null, number>(file.messages.map(({ id }: Message, place: number) => [id, place]));
    return {
      ...file,
      exportedAt: null,
      conversation: { ...file.conversation, id: null },
      messages: file.messages.map((message: Message) => ({
        ...message,
        id: places.get(message.id),
        parentId: places.get(message.parentId) ?? message.parentId,
        replyToId: places.get(message.replyToId) ?? message.replyToId,
      })),
    };
  }

  /** Branches, a reply, an edit, ratings, every kind of end, four scripts. */
  async function colourful() {
    const dana = await node.person({ displayName: "דנה" });
    const other = await node.person({ displayName: "Мария" });
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, () => node.ids.next());
    const answer = { role: "assistant" as const, provider: "demo", model: "demo-1" };
    const usage = { input: 3, cacheRead: 2, cacheWrite: 1, output: 7 };
    const made = await conversation(
      dana.id,
      [
        { id: a, authorId: dana.id, content: "שלום עולם 👋🏽" },
        {
          ...answer,
          id: b,
          parentId: a,
          content: "Before. After 😀.",
          parts: [
            { type: "reasoning", text: "Let me think\n\n```\n" },
            { type: "text", text: "Before. " },
            { type: "tool-call", callId: "1", name: "search", input: { q: ["العربية", 1.5, null], "": { deep: true } } },
            { type: "tool-result", callId: "1", output: "nothing", isError: true },
            { type: "text", text: "After 😀." },
          ],
          usage,
          finishReason: "stop",
        },
        {
          id: c,
          parentId: b,
          authorId: other.id,
          content: "Привет\u200f\r\n\ttab \ufffd",
          replyToId: a,
          editedAt: new Date(now - 5_000),
        },
        { ...answer, id: d, parentId: c, content: "Half of", status: "stopped", usage },
        {
          ...answer,
          id: e,
          parentId: c,
          content: "",
          type: "error",
          status: "failed",
          error: { reason: "provider_unavailable", message: "Nobody answers" },
        },
        { ...answer, id: f, parentId: b, content: "مرحبا", status: "interrupted", metadata: { client: { x: [1] } } },
        { id: g, role: "system", content: "Be kind" },
        { id: h, parentId: f, authorId: null, content: "Left" },
      ],
      {
        title: "שיחה / Talk",
        description: "Two\nlines",
        tags: ["one", "שתיים"],
        metadata: { color: "red" },
        model: "demo-1",
        systemPrompt: "Answer in rhyme",
      },
    );
    await node.database.insert(members).values({ conversationId: made.id, userId: other.id, role: "viewer" });
    await node.database.insert(messageRatings).values([
      { messageId: b ?? "", userId: dana.id, rating: "up", note: "Good 👍" },
      { messageId: d ?? "", userId: dana.id, rating: "down" },
      { messageId: b ?? "", userId: other.id, rating: "down", note: "Theirs" },
    ]);
    return { dana, other, ...made };
  }

  test("comes back as it left: branches, replies, parts, ends, ratings of one's own", async () => {
    const { dana, id } = await colourful();
    const first = await exported(dana.actor, id);
    expect(first).toMatchObject({ fileName: "שיחה Talk.json", mediaType: "application/json", nextCursor: null });
    const file = JSON.parse(first.content);
    expect(file).toMatchObject({ format: "parley.conversation", version: 1, conversation: { id, title: "שיחה / Talk" } });
    expect(first.content).not.toContain("Theirs");

    const { actor } = dana;
    const imported = await importing(actor, file);
    expect(imported).toMatchObject({
      title: "שיחה / Talk",
      visibility: "private",
      myRole: "owner",
      members: [{ user: { id: dana.id }, role: "owner" }],
      messageCount: 8,
      unreadCount: 0,
      lastMessage: { excerpt: "Left" },
      metadata: { color: "red" },
      systemPrompt: "Answer in rhyme",
    });
    const second = await exported(actor, imported.id);
    const strange = (content: string) => {
      const value = contentOf(content);
      // Of the other's, the name is what stays.
      for (const message of value.messages) if (message.author?.name === "Мария") message.author.id = null;
      return value;
    };
    expect(strange(second.content)).toEqual(strange(first.content));
    const again = await importing(actor, JSON.parse(second.content));
    expect(contentOf((await exported(actor, again.id)).content)).toEqual(contentOf(second.content));
    expect((await rowsOf(imported.id)).map(({ authorId }) => authorId).filter((author) => author !== null)).toEqual([dana.id]);
  });

  test("costs nothing when it comes back, and has no runs", async () => {
    const { dana, id } = await colourful();
    const imported = await importing(dana.actor, JSON.parse((await exported(dana.actor, id)).content));
    expect(await node.database.select().from(runs).where(eq(runs.conversationId, imported.id))).toEqual([]);
    expect(await node.database.select().from(usageLedger).where(eq(usageLedger.userId, dana.id))).toEqual([]);
  });

  test("belongs to whoever imports it, and nobody else's messages become theirs", async () => {
    const { dana, id } = await colourful();
    const { actor } = await node.person();
    const imported = await importing(actor, JSON.parse((await exported(dana.actor, id)).content));
    const rows = await rowsOf(imported.id);
    expect(rows.map(({ authorId }) => authorId).every((author) => author === null)).toBe(true);
    expect(rows[0]?.metadata).toEqual({ importedAuthor: "דנה" });
    expect((await node.messages.list(actor, { conversationId: imported.id })).items.at(-1)?.content).toBe("Left");
    await expect(node.conversations.get(dana.actor, imported.id)).rejects.toMatchObject({ reason: "not_found" });
  });

  test("that was still being answered comes back as interrupted", async () => {
    const { actor, id: owner } = await node.person();
    const { id } = await conversation(owner, [{ content: "Half", role: "assistant", status: "running" }]);
    const imported = await importing(actor, JSON.parse((await exported(actor, id)).content));
    expect((await rowsOf(imported.id))[0]).toMatchObject({ status: "interrupted", runId: null });
  });

  test("without a message is a file all the same", async () => {
    const { actor, id: owner } = await node.person();
    const { id } = await conversation(owner);
    const { content, nextCursor } = await exported(actor, id);
    expect(nextCursor).toBeNull();
    expect(await importing(actor, JSON.parse(content))).toMatchObject({ messageCount: 0, lastMessage: null });
    expect((await markdown(actor, id)).content).toBe("# A talk\n");
  });

  test("is told to the importer's devices, and to the audit log without a word of it", async () => {
    const { actor, id: owner } = await node.person();
    const { id } = await conversation(owner, [{ content: "Secret words", authorId: owner }]);
    const feed = await node.live.follow(actor, {});
    const { content } = await exported(actor, id);
    const imported = await importing(actor, JSON.parse(content));
    for await (const { event } of feed) {
      expect(event).toMatchObject({ type: "conversation-created", conversation: { id: imported.id } });
      break;
    }
    expect(await node.audited(owner)).toMatchObject([
      { action: "conversation.export", target: `conversation:${id}`, outcome: "done", details: { format: "json", part: 1 } },
      { action: "conversation.import", target: `conversation:${imported.id}`, outcome: "done", details: { messages: 1 } },
    ]);
    expect(JSON.stringify(await node.audited(owner))).not.toContain("Secret");
  });

  test("that is long comes in parts, each within its size, and goes back in parts", async () => {
    const { actor, id: owner } = await node.person();
    const contents = Array.from({ length: 2_500 }, (_, place) => `${place} ${"ש".repeat(200)}`);
    const rows: (Row & { content: string })[] = [];
    for (const content of contents)
      rows.push({ id: node.ids.next(), content, authorId: owner, parentId: rows.at(-1)?.id ?? null });
    const { id } = await conversation(owner, rows);
    const parts = await allParts((cursor) => exported(actor, id, cursor));
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ fileName }) => fileName).slice(0, 2)).toEqual(["A talk.json", "A talk-2.json"]);
    for (const { content } of parts) expect(Buffer.byteLength(content)).toBeLessThan(600 * 1024);
    const files = parts.map(({ content }) => JSON.parse(content));
    expect(files.flatMap((file) => file.messages.map((message: Message) => message.content))).toEqual(contents);

    const { id: into } = await importing(actor, files[0]);
    for (const file of files.slice(1)) await importing(actor, file, into);
    expect((await rowsOf(into)).map(({ content }) => content)).toEqual(contents);
    expect(await node.conversations.get(actor, into)).toMatchObject({
      messageCount: 2_500,
      lastMessage: { excerpt: contents.at(-1)?.slice(0, 200) },
    });
    const text = (await allParts((cursor) => markdown(actor, id, cursor))).map(({ content }) => content).join("\n");
    expect(text.match(/^> .*$/gm)).toEqual(contents.map((content) => `> ${content}`));
  });

  test("imported twenty times at once into the same conversation is there once", async () => {
    const { dana, id } = await colourful();
    const { actor } = dana;
    const file = JSON.parse((await exported(actor, id)).content);
    const first = { ...file, messages: file.messages.slice(0, 1) };
    const { id: into } = await importing(actor, first);
    await Promise.all(Array.from({ length: 20 }, () => importing(actor, file, into)));
    const rows = await rowsOf(into);
    expect(rows).toHaveLength(8);
    await importing(actor, file, into);
    expect(await rowsOf(into)).toEqual(rows);
    expect(await node.conversations.get(actor, into)).toMatchObject({ messageCount: 8, lastMessage: { id: rows.at(-1)?.id } });
  });

  test("goes on after an import, and a later part leaves it where it is", async () => {
    const { actor, id: owner } = await node.person();
    const { id, ids } = await conversation(owner, [{ content: "One" }]);
    await node.database.insert(messages).values({
      id: node.ids.next(),
      conversationId: id,
      parentId: ids[0],
      role: "user",
      status: "complete",
      content: "Two",
      parts: [{ type: "text", text: "Two" }],
    });
    const file = JSON.parse((await exported(actor, id)).content);
    const { id: into } = await importing(actor, { ...file, messages: file.messages.slice(0, 1) });
    const sent = await node.turns.send(actor, { conversationId: into, clientMessageId: into, content: "Newest", answer: false });
    const after = await importing(actor, file, into);
    expect(after).toMatchObject({ messageCount: 3, lastMessage: { id: sent.message.id } });
  });

  describe("is not imported into", () => {
    test("one that is not there, or somebody else's", async () => {
      const { dana, id, other } = await colourful();
      const { actor } = await node.person();
      const file = JSON.parse((await exported(dana.actor, id)).content);
      const sentence = { reason: "not_found", message: "This conversation does not exist" };
      await expect(importing(actor, file, id)).rejects.toMatchObject(sentence);
      await expect(importing(actor, file, node.ids.next())).rejects.toMatchObject(sentence);
      await expect(importing(other.actor, file, id)).rejects.toMatchObject({ reason: "forbidden" });
      const imported = await importing(other.actor, file);
      await node.database.insert(members).values({ conversationId: imported.id, userId: dana.id, role: "editor" });
      await expect(importing(dana.actor, file, imported.id)).rejects.toMatchObject({ reason: "forbidden" });
    });

    test("one that was not made by importing the same", async () => {
      const { dana, id } = await colourful();
      const { actor } = dana;
      const mine = await conversation(dana.id, [{ content: "Another" }]);
      const file = JSON.parse((await exported(actor, id)).content);
      const another = await importing(actor, JSON.parse((await exported(actor, mine.id)).content));
      for (const into of [id, mine.id, another.id]) {
        await expect(importing(actor, file, into)).rejects.toMatchObject({ reason: "invalid_input", issues: [{ path: "into" }] });
      }
      expect(await rowsOf(mine.id)).toHaveLength(1);
    });
  });

  test("of somebody else is not exported, and a viewer exports what they may read", async () => {
    const { id, other } = await colourful();
    const { actor } = await node.person();
    for (const format of ["json", "markdown"] as const) {
      const sentence = { reason: "not_found", message: "This conversation does not exist" };
      await expect(node.transfer.export(actor, { id, format }, caller)).rejects.toMatchObject(sentence);
      await expect(node.transfer.export(actor, { id: node.ids.next(), format }, caller)).rejects.toMatchObject(sentence);
      expect((await node.transfer.export(other.actor, { id, format }, caller)).content).toContain("Talk");
    }
  });

  test("does not take the cursor of another format, or one that is made up", async () => {
    const { dana, id } = await colourful();
    for (const cursor of ["", "2", "x", `2_${id}_${id}`, `-1_${id}`]) {
      await expect(exported(dana.actor, id, cursor)).rejects.toMatchObject({ reason: "invalid_input" });
    }
    await expect(markdown(dana.actor, id, `2_${id}`)).rejects.toMatchObject({ reason: "invalid_input" });
    await expect(markdown(dana.actor, id, `2_${id}_${id}`)).rejects.toMatchObject({ reason: "conflict" });
  });

  test("as Markdown is the branch that its reader looks at", async () => {
    const { dana, other, id, ids } = await colourful();
    const mine = await markdown(dana.actor, id);
    expect(mine).toMatchObject({ fileName: "שיחה Talk.md", mediaType: "text/markdown; charset=utf-8", nextCursor: null });
    expect(mine.content.match(/^## .*/gm)?.map((line) => line.replace(/ · .*/, ""))).toEqual([
      "## דנה",
      "## Assistant (demo-1)",
      "## Assistant (demo-1)",
      "## Somebody",
    ]);
    expect(mine.content).toContain("# שיחה / Talk\n\n> Two\n> lines\n");
    expect(mine.content).not.toMatch(/[\u200e\u202a-\u202e\u2066-\u2069]/);
    await node.database
      .update(members)
      .set({ leafId: ids[4] ?? null })
      .where(eq(members.userId, other.id));
    expect((await markdown(other.actor, id)).content).toContain("*This answer has failed: Nobody answers*");
  });

  test("by nodes whose clocks differ is cut where nothing is missing", async () => {
    const { actor, id: owner } = await node.person();
    const big = "x".repeat(150_000);
    const [early, ...rest] = Array.from({ length: 6 }, () => node.ids.next());
    // The first child's id sorts before its parent's.
    const [second, third, parent, fifth, sixth] = rest;
    const { id } = await conversation(owner, [
      { id: early, content: big },
      { id: second, parentId: early, content: big },
      { id: parent, parentId: second, content: big },
      { id: third, parentId: parent, content: big },
      { id: fifth, parentId: third, content: big },
      { id: sixth, parentId: fifth, content: big },
    ]);
    const files = (await allParts((cursor) => exported(actor, id, cursor))).map(({ content }) => JSON.parse(content));
    expect(files.length).toBeGreaterThan(1);
    const { id: into } = await importing(actor, files[0]);
    for (const file of files.slice(1)) await importing(actor, file, into);
    expect(await rowsOf(into)).toHaveLength(6);
  });
});
