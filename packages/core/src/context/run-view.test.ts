import { databaseKinds, openTestDatabase, scriptedProvider, type TestDatabase, testServices } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";

describe.each(databaseKinds)("a run as it is read again, on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  const scripted = scriptedProvider();
  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database, { providers: [scripted.provider] });
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  type Actor = Parameters<typeof node.turns.send>[0];
  let sent = 0;
  async function begin(actor: Actor, content: string, more: object = {}) {
    const turn = await node.turns.send(actor, { clientMessageId: `r-${++sent}`, content, ...more });
    return { ...turn, runId: turn.answer?.runId ?? "", stream: await scripted.next() };
  }
  async function answered(actor: Actor, content: string, more: object = {}) {
    const turn = await begin(actor, content, more);
    turn.stream.text("Aye.").end({ input: 10, cacheRead: 0, cacheWrite: 0, output: 2 });
    for await (const _ of await node.follow(actor, { runId: turn.runId }));
    return turn;
  }

  test("has its receipt, and for who asked what was sent", async () => {
    const { actor } = await node.person();
    const first = await answered(actor, "Hello");
    const parameters = { temperature: 0.5, topP: null, topK: 40, maxTokens: 300, reasoning: "off" };
    const second = await answered(actor, "And now?", {
      conversationId: first.conversationId,
      temperature: 0.5,
      topK: 40,
      maxTokens: 300,
    });
    expect(await node.runView.get(actor, { runId: second.runId })).toEqual({
      id: second.runId,
      conversationId: first.conversationId,
      messageId: second.answer?.messageId,
      status: "completed",
      provider: "scripted",
      model: "scripted",
      startedAt: expect.any(Date),
      endedAt: expect.any(Date),
      receipt: {
        runId: second.runId,
        attempts: [
          expect.objectContaining({ outcome: "completed", tokens: { input: 10, cacheRead: 0, cacheWrite: 0, output: 2 } }),
        ],
        total: expect.objectContaining({ costMicros: null }),
      },
      request: {
        system: null,
        summary: null,
        messages: [
          { id: first.message.id, role: "user", content: "Hello" },
          { id: first.answer?.messageId, role: "assistant", content: "Aye." },
          { id: second.message.id, role: "user", content: "And now?" },
        ],
        omitted: 0,
        estimatedTokens: expect.any(Number),
        parameters,
      },
    });
  });

  test("shows messages as they were then, whatever has been made of them since", async () => {
    const { actor, user } = await node.person();
    const first = await answered(actor, "Hello");
    const { ids, database: db } = node.ports;
    const messageId = first.message.id;
    const edit = async (before: string, after: string) => {
      await db.insert(schema.messageEdits).values({ id: ids.next(), messageId, content: before, editorId: user.id });
      await db.update(schema.messages).set({ content: after }).where(eq(schema.messages.id, messageId));
    };
    await edit("Hello", "Good day");
    const second = await answered(actor, "And now?", { conversationId: first.conversationId });
    await expect.poll(() => Date.now()).toBeGreaterThan(second.message.createdAt.getTime() + 5);
    await edit("Good day", "Good evening");
    await edit("Good evening", "Good night");
    const textOf = async (runId: string) => (await node.runView.get(actor, { runId })).request?.messages[0]?.content;
    expect(await textOf(first.runId)).toBe("Hello");
    expect(await textOf(second.runId)).toBe("Good day");
    expect(await textOf((await answered(actor, "Still?", { conversationId: first.conversationId })).runId)).toBe("Good night");
  });

  test("shows its request while it runs, and keeps it when its writer dies", async () => {
    const { actor } = await node.person();
    const { runId, stream } = await begin(actor, "Hello");
    await expect.poll(async () => (await node.runView.get(actor, { runId })).request?.messages).toHaveLength(1);
    expect(await node.runView.get(actor, { runId })).toMatchObject({
      status: "running",
      endedAt: null,
      receipt: { attempts: [], total: { costMicros: null } },
    });
    await database.database
      .update(schema.runs)
      .set({ epoch: crypto.randomUUID(), leaseUntil: new Date(0) })
      .where(eq(schema.runs.id, runId));
    await expect.poll(() => stream.signal.aborted).toBe(true);
    await expect
      .poll(() => node.runView.get(actor, { runId }), { timeout: 8_000 })
      .toMatchObject({ status: "interrupted", request: { messages: [{ content: "Hello" }] } });
  });

  test("is there for members without the request, and for nobody else", async () => {
    const { actor } = await node.person();
    const member = await node.person();
    const stranger = await node.person();
    const { conversationId, runId } = await answered(actor, "Hello");
    await database.database.insert(schema.members).values({ conversationId, userId: member.user.id, role: "viewer" });
    expect(await node.runView.get(member.actor, { runId })).toMatchObject({ status: "completed", request: null });
    const missing = "01a1fd8a-0000-7000-8000-000000000000";
    for (const id of [runId, missing]) {
      await expect(node.runView.get(stranger.actor, { runId: id })).rejects.toMatchObject({
        reason: "not_found",
        message: "This run does not exist",
      });
    }
  });
});
