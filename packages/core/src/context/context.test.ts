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
import type { Budget } from "../budgets/budgets.ts";
import { schema } from "../database/index.ts";
import { type GenerateRequest, type ModelEntry, ProviderError, unknownModel } from "../models/provider.ts";
import type { Settings } from "../settings.ts";
import { estimateRequest } from "../tokens/estimate.ts";
import { forgetSummaries } from "./summary-queries.ts";

const prices = { input: 1, cacheRead: 1, cacheWrite: 1, output: 1 };
const entry: ModelEntry = { ...unknownModel, id: "small", name: "Small", contextLength: 2_000, outputLimit: 500, prices };
const room = Math.floor(1_500 * 0.7);
const models = [
  entry,
  { ...entry, id: "large", contextLength: 20_000 },
  { ...entry, id: "unknown", contextLength: null, prices: null },
];
const unlimited: Budget = { tokens: null, micros: null };
const deadlines = { firstByteMs: 20_000, localFirstByteMs: 20_000, gapMs: 20_000, totalMs: 60_000 };
const hurried = { deadlines, retryMs: 20_000, taskMs: 150, requests: null, tokens: null };
const summary = "They spoke of the sea.";

const textsOf = ({ messages }: GenerateRequest) =>
  messages.map((message) => ("parts" in message ? message.parts.map((part) => ("text" in part ? part.text : "")).join("") : ""));
const isSummary = ({ system }: GenerateRequest) => system?.startsWith("You keep the memory") ?? false;

describe.each(databaseKinds)("what a model is asked on %s", (kind) => {
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
    const provider = { ...scripted.provider, models, listModels: async () => models };
    node = testServices(database, { providers: [provider], ...settings });
    return node;
  }

  type Actor = Parameters<typeof node.turns.send>[0];
  let sent = 0;
  const send = (actor: Actor, more: { conversationId?: string; content?: string; model?: string; parentId?: string } = {}) =>
    node.turns.send(actor, { clientMessageId: `c-${++sent}`, content: "And now?", ...more });
  async function endOf(actor: Actor, { answer }: Awaited<ReturnType<typeof send>>) {
    for await (const { event } of await node.follow(actor, { runId: answer?.runId ?? "" })) {
      if (event.type === "run-end") return event;
    }
    throw new Error("The run has no end");
  }
  const requestOf = async (actor: Actor, { answer }: Awaited<ReturnType<typeof send>>) =>
    (await node.runView.get(actor, { runId: answer?.runId ?? "" })).request;
  const ledgerOf = (userId: string) =>
    database.database.select().from(schema.usageLedger).where(eq(schema.usageLedger.userId, userId));
  const summariesOf = (conversationId: string) =>
    database.database.select().from(schema.summaries).where(eq(schema.summaries.conversationId, conversationId));

  /** A conversation of somebody with so many messages, of some hundred tokens each. */
  async function talk(actor: Actor, count: number, { systemPrompt = null as string | null } = {}) {
    const { ids } = node.ports;
    const id = ids.next();
    const rows = Array.from({ length: count }, (_, index) => ({
      id: ids.next(),
      conversationId: id,
      role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
      authorId: index % 2 === 0 ? actor.userId : null,
      content: `${index} ${Array(99).fill("sea").join(" ")}`,
      status: "complete" as const,
    }));
    const chained = rows.map((row, index) => ({ ...row, parentId: rows[index - 1]?.id ?? null }));
    const leafId = rows.at(-1)?.id ?? null;
    await database.database.insert(schema.conversations).values({ id, title: "Talk", leafId, messageCount: count, systemPrompt });
    await database.database.insert(schema.members).values({ conversationId: id, userId: actor.userId, role: "owner" });
    if (chained.length > 0) await database.database.insert(schema.messages).values(chained);
    return { conversationId: id, messages: rows };
  }

  /** Until the test is over: each answer is the same, and each summary. */
  async function answerAll(seen: GenerateRequest[]) {
    for (;;) {
      const stream = await scripted.next();
      seen.push(stream.request);
      stream.text(isSummary(stream.request) ? summary : "Aye.").end();
    }
  }

  test("is the whole branch where it fits, and then the newest of it, begun by a person", async () => {
    boot();
    const { actor } = await node.person();
    const { conversationId, messages } = await talk(actor, 30);
    const long = await send(actor, { conversationId, model: "large" });
    const whole = await scripted.next();
    expect(textsOf(whole.request)).toEqual([...messages.map(({ content }) => content), "And now?"]);
    whole.text("Aye.").end();
    await endOf(actor, long);

    await send(actor, { conversationId, content: "Once more", model: "small" });
    const { request } = await scripted.next();
    const texts = textsOf(request);
    expect(texts.slice(-3)).toEqual(["And now?", "Aye.", "Once more"]);
    expect(request.messages[0]?.role).toBe("user");
    expect(estimateRequest(request)).toBeLessThanOrEqual(room);
    expect(estimateRequest(request)).toBeGreaterThan(room - 250);
    expect(texts.slice(0, -3)).toEqual(messages.slice(-(texts.length - 3)).map(({ content }) => content));
  });

  test("is at least the question, under a system prompt that takes the window, and when it is itself too long", async () => {
    boot({ taskModel: "same" });
    const { actor } = await node.person();
    const systemPrompt = "Mind the sea. ".repeat(1_000);
    const { conversationId } = await talk(actor, 10, { systemPrompt });
    await send(actor, { conversationId });
    const first = await scripted.next();
    expect(first.request).toMatchObject({ system: systemPrompt });
    expect(textsOf(first.request)).toEqual(["And now?"]);
    first.end();

    const other = await talk(actor, 2);
    const question = "Why? ".repeat(1_500);
    await send(actor, { conversationId: other.conversationId, content: question });
    expect(textsOf((await scripted.next()).request)).toEqual([question]);
  });

  test("goes by a usual window where nobody knows it", async () => {
    boot();
    const { actor } = await node.person();
    const { conversationId } = await talk(actor, 60);
    await send(actor, { conversationId, model: "unknown" });
    expect((await scripted.next()).request.messages).toHaveLength(61);
  });

  test("says who wrote what in a room of several people", async () => {
    boot();
    const { actor } = await node.person();
    const guest = await node.person();
    const { conversationId } = await talk(actor, 2);
    await database.database.insert(schema.members).values({ conversationId, userId: guest.user.id, role: "editor" });
    await database.database.update(schema.users).set({ displayName: "Dana" }).where(eq(schema.users.id, guest.user.id));
    await send(guest.actor, { conversationId, content: "I disagree" });
    const { request } = await scripted.next();
    expect(textsOf(request)).toEqual([expect.stringMatching(/^.+: 0 sea/), expect.stringMatching(/^1 sea/), "Dana: I disagree"]);
  });

  test("has a summary of what no longer fits, made once and kept", async () => {
    boot({ taskModel: "same" });
    const { actor, user } = await node.person();
    const { conversationId, messages } = await talk(actor, 20, { systemPrompt: "Be kind." });
    const first = await send(actor, { conversationId });
    const task = await scripted.next();
    expect(isSummary(task.request)).toBe(true);
    expect(textsOf(task.request)[0]).toMatch(/<message from="user">\n\d+ sea/);
    expect(estimateRequest(task.request)).toBeLessThan(1_500);
    task.text(`${summary}</summary>`).end({ input: 700, cacheRead: 0, cacheWrite: 0, output: 7 });

    const answer = await scripted.next();
    answer.text("Aye.").end();
    const { request } = answer;
    expect(request.system).toMatch(/^Be kind\.\n\n[\s\S]*<summary>\nThey spoke of the sea\.\n<\/summary>$/);
    const kept = request.messages.length - 1;
    expect(textsOf(request)).toEqual([...messages.slice(-kept).map(({ content }) => content), "And now?"]);
    expect(estimateRequest(request)).toBeLessThan(room * 0.6);
    await endOf(actor, first);
    expect(await summariesOf(conversationId)).toMatchObject([
      { messageId: messages[19 - kept]?.id, content: summary, model: "small" },
    ]);
    expect(await ledgerOf(user.id)).toMatchObject([{ input: 700, output: 7, outcome: "completed" }, { output: 1 }]);

    const second = await send(actor, { conversationId, content: "Once more" });
    const next = await scripted.next();
    expect(next.request.system).toBe(request.system);
    expect(textsOf(next.request)).toEqual([...textsOf(request), "Aye.", "Once more"]);
    next.end();
    await endOf(actor, second);
    expect(await summariesOf(conversationId)).toHaveLength(1);
    expect(await requestOf(actor, second)).toMatchObject({ system: "Be kind.", summary, omitted: 20 - kept });
  });

  test("has a new summary, of the earlier one and what followed, when it is full again", async () => {
    boot({ taskModel: "same" });
    const { actor } = await node.person();
    const { conversationId } = await talk(actor, 20);
    const seen: GenerateRequest[] = [];
    void answerAll(seen);
    await endOf(actor, await send(actor, { conversationId }));
    for (const content of ["a", "b", "c", "d"]) {
      await endOf(actor, await send(actor, { conversationId, content: `${content} ${"wave ".repeat(200)}` }));
    }
    const tasks = seen.filter(isSummary);
    expect(tasks).toHaveLength(2);
    expect(tasks.flatMap(textsOf)[1]).toMatch(/^<summary>\nThey spoke of the sea\.\n<\/summary>\n\n<message/);
    expect(await summariesOf(conversationId)).toHaveLength(2);
  });

  test("waits for one summary in five turns at once, on branches of different lengths", async () => {
    boot({ taskModel: "same" });
    const { actor, user } = await node.person();
    const { conversationId, messages } = await talk(actor, 20);
    const seen: GenerateRequest[] = [];
    void answerAll(seen);
    const turns = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        send(actor, { conversationId, content: "x ".repeat(1 + index * 20), parentId: messages[19 - 2 * (index % 2)]?.id }),
      ),
    );
    await Promise.all(turns.map((turn) => endOf(actor, turn)));
    expect(seen.filter(isSummary).length).toBe(1);
    expect(seen.filter(({ system }) => system?.includes(summary))).toHaveLength(5);
    expect(await summariesOf(conversationId)).toHaveLength(1);
    expect(await ledgerOf(user.id)).toHaveLength(6);
  });

  test("does without a summary that fails, that has no words or that comes too late", async () => {
    boot({ taskModel: "same", generation: hurried });
    const { actor, user } = await node.person();
    const { conversationId } = await talk(actor, 20);
    const outcomes = [
      (stream: ScriptedStream) => stream.fail(new ProviderError("bad_request", "no")),
      (stream: ScriptedStream) => stream.text("  \n").end(),
      (stream: ScriptedStream) => void stream.text("They spoke"),
    ];
    for (const fail of outcomes) {
      const turn = await send(actor, { conversationId });
      const task = await scripted.next();
      expect(isSummary(task.request)).toBe(true);
      fail(task);
      const answer = await scripted.next();
      expect(answer.request.system).toBeNull();
      expect(answer.request.messages.length).toBeGreaterThan(3);
      answer.text("Aye.").end();
      expect(await endOf(actor, turn)).toMatchObject({ status: "completed" });
    }
    expect(await summariesOf(conversationId)).toEqual([]);
    expect(await ledgerOf(user.id)).toHaveLength(6);

    // Who was too slow is not waited for again at once.
    await send(actor, { conversationId });
    expect(isSummary((await scripted.next()).request)).toBe(false);
  });

  test("is not asked after a stop, and the summary for it is called off", async () => {
    boot({ taskModel: "same" });
    const { actor } = await node.person();
    const { conversationId } = await talk(actor, 20);
    const turn = await send(actor, { conversationId });
    const task = await scripted.next();
    await node.runs.stop(actor, { runId: turn.answer?.runId ?? "" });
    expect(await endOf(actor, turn)).toMatchObject({ status: "stopped", receipt: { attempts: [] } });
    expect(task.signal.aborted).toBe(true);
    await node.background.settled();
    expect(await summariesOf(conversationId)).toEqual([]);
  });

  test("has no summary of what was changed while it was made", async () => {
    boot({ taskModel: "same" });
    const { actor } = await node.person();
    const { conversationId, messages } = await talk(actor, 20);
    const turn = await send(actor, { conversationId });
    const task = await scripted.next();
    const messageId = messages[10]?.id ?? "";
    await forgetSummaries(database.database, messageId);
    await database.database.insert(schema.messageEdits).values({ id: node.ports.ids.next(), messageId, content: "Before" });
    task.text(summary).end();
    (await scripted.next()).end();
    await endOf(actor, turn);
    expect(await summariesOf(conversationId)).toEqual([]);
  });

  test("forgets the summaries that a changed message may be in, and no others", async () => {
    boot();
    const { actor } = await node.person();
    const { conversationId, messages } = await talk(actor, 10);
    const other = await talk(actor, 10);
    const at = (place: number) => messages[place]?.id ?? "";
    const kept = { content: summary, model: "small" };
    await database.database.insert(schema.summaries).values([
      { messageId: at(2), conversationId, ...kept },
      { messageId: at(5), conversationId, ...kept },
      { messageId: at(8), conversationId, ...kept },
      { messageId: other.messages[9]?.id ?? "", conversationId: other.conversationId, ...kept },
    ]);
    await database.database
      .update(schema.messages)
      .set({ createdAt: new Date(0) })
      .where(eq(schema.messages.id, at(2)));
    await forgetSummaries(database.database, at(5));
    expect((await summariesOf(conversationId)).map(({ messageId }) => messageId)).toEqual([at(2)]);
    expect(await summariesOf(other.conversationId)).toHaveLength(1);
    await forgetSummaries(database.database, "01a1fd8a-0000-7000-8000-000000000000");
  });

  test("has no summary that the person's budget does not allow", async () => {
    const free = { tokens: null, micros: 1_000_000 };
    boot({ taskModel: "unknown", budgets: { free, pro: unlimited, enterprise: unlimited } });
    const { actor, user } = await node.person();
    const { conversationId } = await talk(actor, 20);
    const turn = await send(actor, { conversationId });
    const answer = await scripted.next();
    answer.end();
    expect(answer.request).toMatchObject({ model: "small", system: null });
    await endOf(actor, turn);
    expect(await ledgerOf(user.id)).toHaveLength(1);
    await expect.poll(() => database.database.select().from(schema.budgetHolds)).toEqual([]);
  });
});
