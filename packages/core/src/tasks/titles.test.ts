import type { LiveEvent } from "@parley/contract/events";
import {
  databaseKinds,
  openTestDatabase,
  type ScriptedStream,
  scriptedProvider,
  type TestDatabase,
  testServices,
} from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";
import { ProviderError } from "../models/provider.ts";
import type { Settings } from "../settings.ts";

const unlimited = { tokens: null, micros: null };

describe.each(databaseKinds)("titles on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let scripted: ReturnType<typeof scriptedProvider>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterEach(() => node.stop());
  afterAll(() => database.close());

  function boot(settings: Partial<Settings> = {}) {
    scripted = scriptedProvider();
    node = testServices(database, { providers: [scripted.provider], taskModel: "same", ...settings });
    return node;
  }

  type Actor = Parameters<typeof node.turns.send>[0];
  let sent = 0;
  const send = (actor: Actor, content: string, more: object = {}) =>
    node.turns.send(actor, { clientMessageId: `t-${++sent}`, content, ...more });
  async function answered(actor: Actor, content: string, more: object = {}) {
    const turn = await send(actor, content, more);
    (await scripted.next()).text("An answer").end();
    return turn;
  }
  async function titled(conversationId: string) {
    await node.background.settled();
    const [row] = await database.database.select().from(schema.conversations).where(eq(schema.conversations.id, conversationId));
    return row && { title: row.title, titleBy: row.titleBy };
  }

  test.each([
    ["How do I sail around Cape Horn?", "Sailing around Cape Horn"],
    ["איך מפליגים סביב כף הורן?", "הפלגה סביב כף הורן"],
    ["Как обойти мыс Горн под парусом?", "Плавание вокруг мыса Горн"],
    ["ホーン岬をどう回りますか。", "ホーン岬を回る航海"],
  ])("%s becomes %s once it is answered, and the members are told", async (question, title) => {
    boot();
    const { actor, user } = await node.person();
    const feed = await node.live.follow(actor, {});
    const { conversationId } = await answered(actor, question);
    const task = await scripted.next();
    expect(task.request).toMatchObject({ system: expect.stringContaining("a title of two to six words"), reasoning: "off" });
    expect(JSON.stringify(task.request.messages)).toContain(question);
    expect(JSON.stringify(task.request.messages)).toContain("An answer");
    expect(await node.conversations.get(actor, conversationId)).toMatchObject({ title: question });
    task.text(`"${title}."\n`).end({ input: 40, cacheRead: 0, cacheWrite: 0, output: 6 });
    expect(await titled(conversationId)).toEqual({ title, titleBy: "model" });
    const ledger = await database.database.select().from(schema.usageLedger).where(eq(schema.usageLedger.userId, user.id));
    expect(ledger).toMatchObject([{ output: 1 }, { input: 40, output: 6, model: "scripted" }]);
    for await (const { event } of feed) {
      if (event.type !== "conversation-updated") continue;
      expect(event satisfies LiveEvent).toMatchObject({ conversation: { id: conversationId, title, myRole: "owner" } });
      break;
    }
  });

  test("is thought of once: not for later turns, nor when a person has named the conversation meanwhile", async () => {
    boot();
    const { actor } = await node.person();
    const { conversationId } = await answered(actor, "Hello");
    const task = await scripted.next();
    await database.database
      .update(schema.conversations)
      .set({ title: "Mine", titleBy: "person" })
      .where(eq(schema.conversations.id, conversationId));
    task.text("Theirs").end();
    expect(await titled(conversationId)).toEqual({ title: "Mine", titleBy: "person" });
    await answered(actor, "And?", { conversationId });
    expect(await titled(conversationId)).toEqual({ title: "Mine", titleBy: "person" });
  });

  test.each<[string, (task: ScriptedStream) => void]>([
    ["says nothing", (task) => task.end()],
    ["says only marks", (task) => task.text('"***"\n\n').end()],
    ["fails", (task) => task.fail(new ProviderError("bad_request", "no"))],
    ["breaks off and is refused", (task) => task.text("Half a ti").cut()],
  ])("the first words stay where the model %s", async (_, answer) => {
    boot();
    const { actor } = await node.person();
    const { conversationId } = await answered(actor, "Hello there");
    answer(await scripted.next());
    expect(await titled(conversationId)).toEqual({ title: "Hello there", titleBy: "words" });
    expect(node.log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("a title of ten thousand characters is cut, and what Postgres does not store is left out", async () => {
    boot();
    const { actor } = await node.person();
    const { conversationId } = await answered(actor, "Hello there");
    (await scripted.next()).text(`## **Sea**\0 \ud83d and ${"more ".repeat(2_000)}`).end();
    const { title = "", titleBy } = (await titled(conversationId)) ?? {};
    expect(titleBy).toBe("model");
    expect(title).toMatch(/^Sea and more .*…$/);
    expect(title.length).toBeLessThanOrEqual(60);
  });

  test("a stopped answer with words is enough, one that failed or has none is not", async () => {
    boot();
    const { actor } = await node.person();
    const stopped = await send(actor, "Hello");
    (await scripted.next()).text("So far");
    for await (const { event } of await node.follow(actor, { runId: stopped.answer?.runId ?? "" })) {
      if (event.type === "text-delta") await node.runs.stop(actor, { runId: stopped.answer?.runId ?? "" });
    }
    (await scripted.next()).text("Greeting").end();
    expect(await titled(stopped.conversationId)).toEqual({ title: "Greeting", titleBy: "model" });

    const failed = await send(actor, "Hello");
    (await scripted.next()).text("So").cut();
    expect(await titled(failed.conversationId)).toMatchObject({ titleBy: "words" });
    const silent = await send(actor, "Hello");
    (await scripted.next()).end();
    expect(await titled(silent.conversationId)).toMatchObject({ titleBy: "words" });
  });

  test("a budget that is used up leaves the first words, and nothing fails", async () => {
    boot({ budgets: { free: { tokens: 60, micros: null }, pro: unlimited, enterprise: unlimited } });
    const { actor, user } = await node.person();
    const turn = await send(actor, "Hello");
    (await scripted.next()).text("Hi").end({ input: 20, cacheRead: 0, cacheWrite: 0, output: 39 });
    expect(await titled(turn.conversationId)).toEqual({ title: "Hello", titleBy: "words" });
    const [month] = await database.database.select().from(schema.budgetMonths).where(eq(schema.budgetMonths.userId, user.id));
    expect(month).toMatchObject({ usedTokens: 59, heldTokens: 0 });
    expect(node.log.lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  test("the operator names the model for it, or nobody", async () => {
    boot({ taskModel: "scripted-2" });
    const { actor } = await node.person();
    await answered(actor, "Hello");
    const task = await scripted.next();
    expect(task.request).toMatchObject({ model: "scripted-2" });
    task.end();
    await node.stop();
    boot({ taskModel: "off" });
    const { conversationId } = await answered(actor, "Hello");
    expect(await titled(conversationId)).toEqual({ title: "Hello", titleBy: "words" });
  });

  test("the demonstration thinks of none", async () => {
    boot();
    await node.stop();
    node = testServices(database, { taskModel: "same" });
    const { actor } = await node.person();
    const { conversationId } = await send(actor, "Hello");
    expect(await titled(conversationId)).toEqual({ title: "Hello", titleBy: "words" });
  });
});
