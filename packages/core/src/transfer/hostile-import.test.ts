import { ImportConversation } from "@parley/contract";
import { schema } from "@parley/core/database";
import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const { conversations, members, messages } = schema;
const caller = { address: "127.0.0.1" };
const time = "2026-11-20T10:00:00.000Z";
const idOf = (place: number) => `01a1fd8a-0000-7000-8000-${String(place).padStart(12, "0")}`;

const message = (place: number, changes: object = {}) => ({
  id: idOf(place),
  parentId: place > 1 ? idOf(place - 1) : null,
  replyToId: null,
  role: "user",
  type: "text",
  author: null,
  content: "x",
  status: "complete",
  provider: null,
  model: null,
  usage: null,
  finishReason: null,
  error: null,
  rating: null,
  metadata: {},
  editedAt: null,
  createdAt: time,
  ...changes,
});

const header = {
  id: idOf(0),
  title: "A talk",
  description: null,
  tags: [],
  metadata: {},
  model: null,
  systemPrompt: null,
  createdAt: time,
};
const file = (given: unknown, changes: object = {}) => ({
  format: "parley.conversation",
  version: 1,
  exportedAt: time,
  conversation: header,
  messages: given,
  ...changes,
});

/** What the schema says of a file: the path of its first fault. */
function fault(data: unknown): string | undefined {
  const parsed = ImportConversation.safeParse({ data });
  return parsed.success ? undefined : parsed.error.issues[0]?.path.join(".");
}
const parsed = (text: string): unknown => JSON.parse(text);
const nested = (levels: number) => parsed(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const call = (input: unknown) => ({ parts: [{ type: "tool-call", callId: "1", name: "t", input }], content: "" });

describe("a file", () => {
  test("of our own is taken", () => {
    expect(fault(file([message(1), message(2)]))).toBeUndefined();
    expect(fault(file([message(1, { content: "x".repeat(200_000) })]))).toBeUndefined();
    expect(fault(file([message(1, call({ deep: nested(63) }))]))).toBeUndefined();
  });

  test.each([
    ["of another format", file([], { format: "other" }), "data.format"],
    ["of a later version", file([], { version: 2 }), "data.version"],
    ["that is nothing", null, "data"],
    ["of nested lists", nested(300_000), "data"],
    ["of nested messages", file(nested(300_000)), "data.messages.0"],
    ["with 2,001 messages", file(Array.from({ length: 2_001 }, (_, place) => message(place + 1))), "data.messages"],
    ["with 400,000 nothings", file(Array.from({ length: 400_000 }, () => 0)), "data.messages"],
    [
      "with 100,000 parts",
      file([message(1, { parts: Array(100_000).fill({ type: "reasoning", text: "" }) })]),
      "data.messages.0.parts",
    ],
    ["with a tool's input without end", file([message(1, call(nested(300_000)))]), "data.messages.0.parts.0.input"],
    ["with a wide one", file([message(1, call(Array(400_000).fill(0)))]), "data.messages.0.parts.0.input"],
    ["with a prototype", file([message(1, { metadata: parsed('{"a":{"__proto__":{"x":1}}}') })]), "data.messages.0.metadata"],
    ["with a tool's prototype", file([message(1, call(parsed('{"__proto__":1}')))]), "data.messages.0.parts.0.input"],
    ["with a number too large", file([message(1, call(parsed("[1e999]")))]), "data.messages.0.parts.0.input"],
    ["with a NUL", file([message(1, { content: "a\0b" })]), "data.messages.0.content"],
    ["with half a character", file([message(1, { content: "\ud83d" })]), "data.messages.0.content"],
    [
      "with parts that cut one",
      file([message(1, { content: "😀", parts: [1, 1].map((length) => ({ type: "text", length })) })]),
      "data.messages.0.parts",
    ],
    ["with parts that say more", file([message(1, { parts: [{ type: "text", length: 2 }] })]), "data.messages.0.parts"],
    ["with a message that is too long", file([message(1, { content: "x".repeat(200_001) })]), "data.messages.0.content"],
    ["with an unknown role", file([message(1, { role: "root" })]), "data.messages.0.role"],
    ["with an unknown kind of part", file([message(1, { parts: [{ type: "script" }] })]), "data.messages.0.parts.0.type"],
    [
      "with an answer's author",
      file([message(1, { role: "assistant", author: { id: null, name: "x" } })]),
      "data.messages.0.author",
    ],
    ["with an id that is none", file([message(1, { id: "1" })]), "data.messages.0.id"],
    [
      "with a time before there were computers",
      file([message(1, { createdAt: "-000001-01-01T00:00:00Z" })]),
      "data.messages.0.createdAt",
    ],
    ["with a number for a time", file([message(1, { createdAt: -1 })]), "data.messages.0.createdAt"],
    ["with a time that is too large", file([message(1, { createdAt: "275760-09-13T00:00:00Z" })]), "data.messages.0.createdAt"],
    ["with the year 9999", file([message(1, { editedAt: "9999-01-01T00:00:00Z" })]), "data.messages.0.editedAt"],
    [
      "with a reason that is none",
      file([message(1, { error: { reason: "toString", message: "" } })]),
      "data.messages.0.error.reason",
    ],
    [
      "with a count below nothing",
      file([message(1, { usage: { input: -1, cacheRead: 0, cacheWrite: 0, output: 0 } })]),
      "data.messages.0.usage.input",
    ],
  ])("%s is refused where it is wrong", (_, data, path) => {
    expect(fault(data)).toBe(path);
  });

  test("with a prototype beside its fields changes nothing", () => {
    const data = parsed(JSON.stringify(file([message(1)])).replace('"format"', '"__proto__":{"polluted":1},"format"'));
    expect(Object.keys(ImportConversation.parse({ data }).data)).not.toContain("__proto__");
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

describe.each(databaseKinds)("an import on %s", (kind) => {
  let node: TestAccounts;
  beforeAll(async () => {
    node = await testAccounts(kind);
  });
  afterAll(() => node.stop());

  async function refused(given: unknown[], into?: string) {
    const { actor } = await node.person();
    const input = ImportConversation.parse({ data: file(given), into });
    const error = await node.transfer.import(actor, input, caller).catch((cause: unknown) => cause);
    expect((await node.conversations.list(actor, {})).items).toEqual([]);
    expect(await node.database.select().from(members).where(eq(members.userId, actor.userId))).toEqual([]);
    return error;
  }
  const faultAt = (path: string) => ({ reason: "invalid_input", issues: [{ path: `data.messages.${path}` }] });

  test("of a circle, of messages that are there twice, or that name nobody, writes nothing", async () => {
    const circle = [message(1, { parentId: idOf(3) }), message(2), message(3), message(9, { parentId: null })];
    expect(await refused(circle)).toMatchObject(faultAt("0.parentId"));
    expect(await refused([message(1, { parentId: idOf(1) })])).toMatchObject(faultAt("0.parentId"));
    expect(await refused([message(1), message(1)])).toMatchObject(faultAt("1.id"));
    expect(await refused([message(1), message(2, { parentId: idOf(7) })])).toMatchObject(faultAt("1.parentId"));
    expect(await refused([message(1), message(2, { replyToId: idOf(7) })])).toMatchObject(faultAt("1.replyToId"));
    expect(await refused([message(1), message(2, { createdAt: "2099-01-01T00:00:00Z" })])).toMatchObject(faultAt("1.createdAt"));
  });

  test("reaches no message of somebody else's conversation", async () => {
    const { id: owner } = await node.person();
    const conversationId = node.ids.next();
    const id = node.ids.next();
    await node.database.insert(conversations).values({ id: conversationId, title: "Theirs" });
    await node.database.insert(members).values({ conversationId, userId: owner, role: "owner" });
    await node.database.insert(messages).values({ id, conversationId, role: "user", content: "Theirs", status: "complete" });
    expect(await refused([message(1, { parentId: id })])).toMatchObject(faultAt("0.parentId"));
    expect(await refused([message(1, { replyToId: id })])).toMatchObject(faultAt("0.replyToId"));
    expect(await refused([message(1, { id })], conversationId)).toMatchObject({ reason: "not_found" });
    // An id of theirs makes another one.
    const { actor } = await node.person();
    const own = await node.transfer.import(actor, ImportConversation.parse({ data: file([message(1, { id })]) }), caller);
    expect(own.lastMessage?.id).not.toBe(id);
    expect(await node.database.select().from(messages).where(eq(messages.conversationId, conversationId))).toHaveLength(1);
  });

  test("takes children before their parents, ids without a time, and a branch of 2,000", async () => {
    const { actor } = await node.person();
    const take = (given: unknown[]) => node.transfer.import(actor, ImportConversation.parse({ data: file(given) }), caller);
    const backwards = [message(3), message(2), message(1)];
    expect(await take(backwards)).toMatchObject({ messageCount: 3 });
    const random = Array.from({ length: 3 }, () => crypto.randomUUID());
    const timeless = random.map((id, place) =>
      message(1, { id, parentId: random[place - 1] ?? null, createdAt: `2026-11-20T10:00:0${place}Z` }),
    );
    const made = await take(timeless);
    const { items } = await node.messages.list(actor, { conversationId: made.id });
    expect(items.map((item) => item.createdAt.getUTCSeconds())).toEqual([0, 1, 2]);
    expect(items.every(({ id }) => id[14] === "7")).toBe(true);
    const long = await take(Array.from({ length: 2_000 }, (_, place) => message(place + 1)));
    expect(long.messageCount).toBe(2_000);
  });

  test("does not let an id from the future stay the newest", async () => {
    const { actor } = await node.person();
    const late = message(1, { id: "f1a1fd8a-0000-7000-8000-000000000000", parentId: null });
    const data = file([late, message(2, { parentId: late.id, createdAt: "2026-11-20T11:00:00Z" })]);
    const made = await node.transfer.import(actor, ImportConversation.parse({ data }), caller);
    const sent = await node.turns.send(actor, {
      conversationId: made.id,
      clientMessageId: made.id,
      content: "Now",
      answer: false,
    });
    const { items } = await node.messages.list(actor, { conversationId: made.id });
    expect(
      items
        .map(({ id }) => id)
        .sort()
        .at(-1),
    ).toBe(sent.message.id);
  });
});
