import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conversations, members, messages, runs, usageLedger } from "../database/schema.ts";

const unlimited = { tokens: null, micros: null };
const plans = { free: { tokens: 1_000, micros: null }, pro: unlimited, enterprise: unlimited };
const origin = { address: "127.0.0.1" };

describe.each(databaseKinds)("users on %s", (kind) => {
  let node: TestAccounts;
  let users: TestAccounts["users"];
  beforeAll(async () => {
    node = await testAccounts(kind, { budgets: plans });
    ({ users } = node);
  });
  afterAll(() => node.stop());

  async function answered(userId: string, { model = "large", costMicros = 5 as number | null, hoursAgo = 0 } = {}) {
    const conversationId = node.ids.next();
    const createdAt = new Date(node.clock.now().getTime() - hoursAgo * 3_600_000);
    const [questionId, answerId] = [node.ids.next(), node.ids.next()];
    const shared = { conversationId, status: "complete" as const, createdAt };
    const tokens = { input: 10, cacheRead: 1, cacheWrite: 2, output: 20 };
    const spent = { provider: "demo", model, outcome: "completed" as const, estimated: false, costMicros };
    const attempt = { ...spent, tokens, firstTokenMs: 1, durationMs: 2 };
    await node.database.insert(conversations).values({ id: conversationId, title: "A talk" });
    await node.database.insert(members).values({ conversationId, userId, role: "owner" });
    await node.database.insert(messages).values([
      { ...shared, id: questionId, role: "user", authorId: userId, content: "Hello" },
      {
        ...shared,
        id: answerId,
        role: "assistant",
        parentId: questionId,
        content: "Hi",
        parts: [
          { type: "reasoning", text: "Hm" },
          { type: "text", text: "Hi" },
        ],
      },
    ]);
    const run = { id: node.ids.next(), conversationId, messageId: answerId, userId, provider: "demo", model };
    await node.database.insert(usageLedger).values({ ...spent, ...tokens, runId: run.id, attempt: 1, userId, createdAt });
    const lease = { epoch: node.ids.next(), leaseUntil: createdAt, createdAt };
    await node.database.insert(runs).values({ ...run, ...lease, status: "completed", attempts: [attempt] });
    return conversationId;
  }

  test("a profile says what is known of a person", async () => {
    const { actor, id, email } = await node.person({ emailVerifiedAt: new Date() });
    expect(await users.profile(actor)).toEqual({
      id,
      email,
      emailVerified: true,
      username: null,
      displayName: "Person",
      bio: null,
      timeZone: null,
      language: null,
      plan: "free",
      role: "user",
      lastLoginAt: null,
      lastActiveAt: null,
      createdAt: expect.any(Date),
    });
  });

  test("an update changes what it names, clears what is null, and is told to every node", async () => {
    const { actor, id } = await node.person();
    node.applied.length = 0;
    const wanted = { displayName: "Ada 👋", username: "Ada_L", bio: "x", timeZone: "Asia/Jerusalem", language: "he" as const };
    expect(await users.update(actor, wanted, origin)).toMatchObject(wanted);
    expect(node.applied).toEqual([{ kind: "profile_changed", userId: id }]);
    expect(await node.told(id)).toMatchObject([{ kind: "profile_changed" }]);
    expect(await users.update(actor, { bio: null, language: undefined }, origin)).toMatchObject({ ...wanted, bio: null });
    expect(await users.update(actor, {}, origin)).toMatchObject({ ...wanted, bio: null });
    expect(await users.update(actor, { username: null }, origin)).toMatchObject({ username: null, displayName: "Ada 👋" });
    const { actor: other } = await node.person();
    expect(await users.update(other, { username: "ada_l" }, origin)).toMatchObject({ username: "ada_l" });
    const [line] = await node.audited(id);
    expect(line).toMatchObject({ action: "account.update", details: { changed: "displayName username bio timeZone language" } });
  });

  test("a username has one owner, however it is written and also at once", async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => node.person()));
    const results = await Promise.allSettled(
      people.map(({ actor }, index) => users.update(actor, { username: index % 2 ? "Grace_H" : "ＧＲＡＣＥ_h" }, origin)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "username_taken" });
  });

  test("preferences are kept whole", async () => {
    const { actor } = await node.person();
    expect(await users.preferences(actor)).toEqual({});
    const wanted = { theme: "dark", nested: { list: [1, null, "שלום"] } };
    expect(await users.setPreferences(actor, wanted)).toEqual(wanted);
    expect(await users.preferences(actor)).toEqual(wanted);
    expect(await users.setPreferences(actor, { other: 1 })).toEqual({ other: 1 });
  });

  test("usage counts one's own messages, answers and tokens within the range", async () => {
    const { actor, id } = await node.person();
    const { id: stranger } = await node.person();
    expect(await users.usage(actor, "24h")).toMatchObject({ range: "24h", messages: 0, answers: 0, models: [] });
    await answered(id);
    await answered(id);
    await answered(id, { model: "small", costMicros: null });
    await answered(id, { hoursAgo: 30 });
    await answered(stranger);
    const day = await users.usage(actor, "24h");
    expect(day).toMatchObject({ messages: 3, answers: 3 });
    expect(day.models).toEqual([
      {
        provider: "demo",
        model: "large",
        answers: 2,
        tokens: { input: 20, cacheRead: 2, cacheWrite: 4, output: 40 },
        costMicros: 10,
      },
      {
        provider: "demo",
        model: "small",
        answers: 1,
        tokens: { input: 10, cacheRead: 1, cacheWrite: 2, output: 20 },
        costMicros: null,
      },
    ]);
    expect(await users.usage(actor, "7d")).toMatchObject({ messages: 4, answers: 4 });
    expect(day.budget).toMatchObject({ tokens: { limit: 1_000, used: 0 }, micros: { limit: null, used: 0 } });
    expect(day.budget.resetsAt.getTime()).toBeGreaterThan(Date.now());
  });

  test("an export has everything of one person, nothing of another, and no secret", async () => {
    const { actor, id, sessionId } = await node.person({ preferences: { theme: "dark" } });
    const { id: stranger } = await node.person();
    const mine = await answered(id);
    await answered(stranger);
    const empty = node.ids.next();
    await node.database.insert(conversations).values({ id: empty, title: "Nothing yet" });
    await node.database.insert(members).values({ conversationId: empty, userId: id, role: "owner" });
    const exported = await users.export(actor, undefined);
    expect(exported).toMatchObject({
      profile: { id },
      preferences: { theme: "dark" },
      sessions: [{ id: sessionId, device: { userAgent: "a browser" }, ip: "127.0.0.1", endedAt: null }],
      apiKeys: [],
      conversations: [
        {
          id: mine,
          title: "A talk",
          role: "owner",
          messages: [
            { role: "user", content: "Hello", author: { id, name: "Person" }, parts: [] },
            { role: "assistant", content: "Hi", author: null, parts: [{ type: "reasoning", text: "Hm" }] },
          ],
        },
        { id: empty, messages: [] },
      ],
      nextCursor: null,
    });
    expect(JSON.stringify(exported)).not.toMatch(/argon2|hash/i);
  });

  test("an export has what one's messages said before, and one's own ratings with their notes", async () => {
    const [{ actor, id }, { actor: friend }] = await Promise.all([node.person(), node.person()]);
    const conversationId = await answered(id);
    await node.database.insert(members).values({ conversationId, userId: friend.userId, role: "editor" });
    const rows = await node.database.select().from(messages).where(eq(messages.conversationId, conversationId));
    const [messageId = "", answerId = ""] = rows.map((row) => row.id).sort();
    for (const content of ["Hello there", "Hello again"]) await node.messages.edit(actor, { id: messageId, content }, origin);
    await node.messages.edit(friend, { id: answerId, content: "Good day" }, origin);
    await node.messages.rate(actor, { messageId: answerId, rating: "down", note: "Too short" });
    await node.messages.rate(friend, { messageId: answerId, rating: "up", note: "Hidden" });
    const held = (await users.export(actor, undefined)).conversations.flatMap(({ messages }) => messages);
    const replacedAt = expect.any(Date);
    expect(held).toMatchObject([
      {
        content: "Hello again",
        earlier: [
          { content: "Hello", replacedAt },
          { content: "Hello there", replacedAt },
        ],
        rating: null,
      },
      { content: "Good day", earlier: [], rating: { rating: "down", note: "Too short", ratedAt: expect.any(Date) } },
    ]);
  });

  test("of a conversation that was left, an export has what one wrote there, and nothing else", async () => {
    const [{ actor, id }, { id: friendId }] = await Promise.all([node.person(), node.person()]);
    const conversationId = await answered(friendId);
    const own = node.ids.next();
    await node.database.insert(members).values({ conversationId, userId: id, role: "editor" });
    await node.database
      .insert(messages)
      .values({ id: own, conversationId, role: "user", authorId: id, content: "Mine", status: "complete" });
    await node.messages.edit(actor, { id: own, content: "Still mine" }, origin);
    expect(await users.export(actor, undefined)).toMatchObject({
      conversations: [{ id: conversationId, messages: [{ content: "Hello" }, { content: "Hi" }, { content: "Still mine" }] }],
      leftConversations: [],
    });
    await node.members.leave(actor, conversationId, origin);
    const exported = await users.export(actor, undefined);
    expect(exported).toMatchObject({
      conversations: [],
      leftConversations: [{ id: conversationId, messages: [{ id: own, content: "Still mine", earlier: [{ content: "Mine" }] }] }],
    });
    expect(exported.leftConversations[0]?.messages).toHaveLength(1);
    expect(JSON.stringify(exported)).not.toMatch(/Hello|A talk/);
  });

  test("an export that is too long for one answer goes on, and loses and repeats nothing", async () => {
    const { actor, id } = await node.person();
    const expected: string[] = [];
    const left = await answered(id);
    for (const conversationId of [left, await answered(id)]) {
      const rows = Array.from({ length: 1_500 }, () => node.ids.next());
      const shared = { conversationId, role: "user" as const, authorId: id, status: "complete" as const };
      await node.database.insert(messages).values(rows.map((row) => ({ ...shared, id: row, content: "x" })));
      await node.database.insert(messages).values({ ...shared, id: node.ids.next(), content: "y".repeat(3 * 1024 * 1024) });
    }
    await node.database.delete(members).where(eq(members.conversationId, left));
    const rows = await node.database.select({ id: messages.id }).from(messages).where(eq(messages.authorId, id));
    expected.push(...rows.map((row) => row.id));
    const seen: string[] = [];
    let parts = 0;
    for (let cursor: string | undefined; ; parts++) {
      const part: Awaited<ReturnType<typeof users.export>> = await users.export(actor, { cursor });
      for (const { messages: held } of [...part.conversations, ...part.leftConversations])
        seen.push(...held.filter(({ author }) => author).map((held) => held.id));
      if (part.nextCursor === null) break;
      cursor = part.nextCursor;
    }
    expect(parts).toBeGreaterThan(0);
    expect(seen.length).toBe(new Set(seen).size);
    expect(seen.sort()).toEqual(expected.sort());
    await expect(users.export(actor, { cursor: "nonsense" })).rejects.toMatchObject({ reason: "invalid_input" });
  });

  test("a key that may not read conversations does not export them", async () => {
    const { actor } = await node.person();
    const key = { ...actor, via: "key", scopes: ["account.read"] } as const;
    await expect(users.export(key, undefined)).rejects.toMatchObject({ reason: "forbidden" });
    await users.export({ ...key, scopes: ["account.read", "chat.read"] }, undefined);
  });
});
