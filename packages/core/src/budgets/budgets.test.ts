import type { RunEvent, TokenCounts } from "@parley/contract/events";
import { databaseKinds, openTestDatabase, scriptedProvider, type TestDatabase, testServices } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";
import type { GenerateRequest, ModelEntry } from "../models/provider.ts";
import type { PlanBudgets } from "./budgets.ts";

const entry: ModelEntry = {
  id: "priced",
  name: "Priced",
  contextLength: 8_192,
  outputLimit: 1_000,
  inputs: ["text"],
  tools: true,
  reasoning: false,
  prices: { input: 1_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, output: 5_000_000 },
  retired: false,
  plans: null,
};
const models = [entry, { ...entry, id: "unpriced", prices: null }, { ...entry, id: "for-pro", plans: ["pro" as const] }];
const nothing = { tokens: 0, micros: 0 };
const unlimited = { tokens: null, micros: null };
const budgets = (free: PlanBudgets["free"]): PlanBudgets => ({ free, pro: unlimited, enterprise: unlimited });

describe.each(databaseKinds)("budgets on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let scripted: ReturnType<typeof scriptedProvider>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterEach(() => node.stop());
  afterAll(() => database.close());

  function boot(free: PlanBudgets["free"]) {
    scripted = scriptedProvider();
    const provider = { ...scripted.provider, models, listModels: async () => models };
    node = testServices(database, { providers: [provider], budgets: budgets(free) });
    return node;
  }

  let sent = 0;
  type Actor = Parameters<typeof node.turns.send>[0];
  const send = (actor: Actor, more = {}) =>
    node.turns.send(actor, { clientMessageId: `b-${++sent}`, content: "Hello there", model: "priced", ...more });
  async function endOf(actor: Actor, runId: string | undefined) {
    for await (const { event } of await node.follow(actor, { runId: runId ?? "" })) {
      if (event.type === "run-end") return event;
    }
    throw new Error("The run has no end");
  }
  async function monthOf(userId: string) {
    const [month] = await database.database.select().from(schema.budgetMonths).where(eq(schema.budgetMonths.userId, userId));
    return month;
  }
  const ledgerOf = (userId: string) =>
    database.database.select().from(schema.usageLedger).where(eq(schema.usageLedger.userId, userId));

  /** Until the test is over, each request is answered at once. */
  async function answerAll(count: (request: GenerateRequest) => TokenCounts) {
    for (;;) {
      const stream = await scripted.next();
      stream.end(count(stream.request));
    }
  }

  test("the receipt, the ledger and the month say the same", async () => {
    boot({ tokens: 100_000, micros: 1_000_000 });
    const { actor, user } = await node.person();
    const { answer } = await send(actor);
    (await scripted.next()).text("Hi").end({ input: 100, cacheRead: 50, cacheWrite: 0, output: 20 });
    const { receipt } = await endOf(actor, answer?.runId);
    expect(receipt.total).toEqual({ tokens: { input: 100, cacheRead: 50, cacheWrite: 0, output: 20 }, costMicros: 205 });
    expect(await ledgerOf(user.id)).toMatchObject([
      {
        runId: answer?.runId,
        attempt: 1,
        model: "priced",
        input: 100,
        cacheRead: 50,
        output: 20,
        costMicros: 205,
        estimated: false,
      },
    ]);
    expect(await monthOf(user.id)).toMatchObject({ usedTokens: 170, usedMicros: 205, heldTokens: 0, heldMicros: 0 });
  });

  test("what is set aside while an answer streams is the question and the longest answer", async () => {
    boot({ tokens: 100_000, micros: null });
    const { actor, user } = await node.person();
    const { answer } = await send(actor, { maxTokens: 500 });
    const stream = await scripted.next();
    const { heldTokens = 0 } = (await monthOf(user.id)) ?? {};
    expect(heldTokens).toBeGreaterThan(500);
    expect(heldTokens).toBeLessThan(550);
    stream.end();
    await endOf(actor, answer?.runId);
    expect(await monthOf(user.id)).toMatchObject({ heldTokens: 0, heldMicros: 0 });
  });

  test("the answer is cut to what is left, and then nothing more is taken", async () => {
    boot({ tokens: 300, micros: null });
    const { actor } = await node.person();
    const { answer } = await send(actor);
    const stream = await scripted.next();
    expect(stream.request.maxTokens).toBeLessThan(300);
    expect(stream.request.maxTokens).toBeGreaterThan(250);
    stream.end({ input: 20, cacheRead: 0, cacheWrite: 0, output: 275 });
    await endOf(actor, answer?.runId);
    const now = new Date();
    const untilNextMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime();
    const refused: unknown = await send(actor).catch((error) => error);
    expect(refused).toMatchObject({ reason: "budget_exceeded", message: expect.stringMatching(/\d{4}-\d{2}-01/) });
    expect(Math.abs(Number(Reflect.get(Object(refused), "retryAfterMs")) - untilNextMonth)).toBeLessThan(60_000);
    expect(await node.turns.send(actor, { clientMessageId: "unanswered", content: "x", answer: false })).toMatchObject({
      answer: null,
    });
  });

  test("money counts by the price of the model", async () => {
    boot({ tokens: null, micros: 1_000 });
    const { actor } = await node.person();
    await send(actor);
    const stream = await scripted.next();
    // Some twenty micro-units are the question; five a token is the answer.
    expect(stream.request.maxTokens).toBeGreaterThan(180);
    expect(stream.request.maxTokens).toBeLessThan(200);
    stream.end();
  });

  test("fifty at once never take more than there is", async () => {
    boot({ tokens: 1_000, micros: null });
    const { user } = await node.person();
    const budget = { tokens: 1_000, micros: null };
    const wish = { userId: user.id, budget, spent: nothing, inputTokens: 10, maxTokens: 90, prices: null };
    const granted = await Promise.allSettled(
      Array.from({ length: 50 }, () => node.budgets.hold({ ...wish, runId: crypto.randomUUID() })),
    );
    expect(granted.filter((held) => held.status === "fulfilled" && held.value === 90)).toHaveLength(10);
    const refused = granted.flatMap((held) => (held.status === "rejected" ? [held.reason.reason] : []));
    expect(refused).toEqual(Array(40).fill("budget_exceeded"));
    expect(await monthOf(user.id)).toMatchObject({ heldTokens: 1_000 });
  });

  test("fifty messages at once spend to the last token, and each answer is charged once", async () => {
    boot({ tokens: 2_000, micros: null });
    const { actor, user } = await node.person();
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => send(actor, { maxTokens: 200 })));
    const runs = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.answer?.runId] : []));
    void answerAll(({ maxTokens }) => ({ input: 5, cacheRead: 0, cacheWrite: 0, output: maxTokens }));
    const ends = await Promise.all(runs.map((runId) => endOf(actor, runId)));
    const month = await monthOf(user.id);
    const charged = ends.reduce((sum, { receipt }) => sum + receipt.total.tokens.input + receipt.total.tokens.output, 0);
    expect(month).toMatchObject({ usedTokens: charged, heldTokens: 0 });
    expect(charged).toBeLessThanOrEqual(2_000);
    const reasons = new Set(ends.map(({ status, error }) => error?.reason ?? status));
    expect([...reasons].sort()).toEqual(["budget_exceeded", "completed"]);
  });

  test("another try makes room for itself", async () => {
    boot({ tokens: 100, micros: null });
    const { user } = await node.person();
    const wish = {
      runId: crypto.randomUUID(),
      userId: user.id,
      budget: { tokens: 100, micros: null },
      spent: nothing,
      inputTokens: 10,
      maxTokens: 90,
      prices: null,
    };
    expect(await node.budgets.hold(wish)).toBe(90);
    expect(await node.budgets.hold({ ...wish, spent: { tokens: 30, micros: 0 } })).toBe(60);
    expect(await monthOf(user.id)).toMatchObject({ heldTokens: 100 });
    await expect(node.budgets.hold({ ...wish, spent: { tokens: 90, micros: 0 } })).rejects.toMatchObject({
      reason: "budget_exceeded",
    });
    expect(await monthOf(user.id)).toMatchObject({ heldTokens: 100 });
  });

  test("what a dead process had set aside is given back", async () => {
    boot({ tokens: 1_000, micros: null });
    const { actor, user } = await node.person();
    const { answer } = await send(actor);
    await scripted.next();
    expect((await monthOf(user.id))?.heldTokens).toBeGreaterThan(0);
    await database.database
      .update(schema.runs)
      .set({ epoch: crypto.randomUUID(), leaseUntil: new Date(0) })
      .where(eq(schema.runs.id, answer?.runId ?? ""));
    await expect.poll(async () => (await monthOf(user.id))?.heldTokens, { timeout: 18_000 }).toBe(0);
    expect(await monthOf(user.id)).toMatchObject({ usedTokens: 0 });
  });

  test("a stopped answer is charged for what was said", async () => {
    boot({ tokens: 10_000, micros: null });
    const { actor, user } = await node.person();
    const { answer } = await send(actor);
    const stream = await scripted.next();
    stream.text("These are some words that were said");
    const seen: RunEvent[] = [];
    for await (const { event } of await node.follow(actor, { runId: answer?.runId ?? "" })) {
      seen.push(event);
      if (event.type === "text-delta") await node.runs.stop(actor, { runId: answer?.runId ?? "" });
    }
    const end = seen.at(-1);
    if (end?.type !== "run-end") throw new Error("The run has no end");
    expect(end.receipt.attempts).toMatchObject([{ outcome: "stopped", estimated: true }]);
    const { input, output } = end.receipt.total.tokens;
    expect(input).toBeGreaterThan(0);
    expect(output).toBeGreaterThan(4);
    expect(await monthOf(user.id)).toMatchObject({ usedTokens: input + output, heldTokens: 0 });
  });

  test("an answer whose conversation is deleted meanwhile is charged all the same", async () => {
    boot({ tokens: 10_000, micros: null });
    const { actor, user } = await node.person();
    const { conversationId } = await send(actor);
    const stream = await scripted.next();
    await database.database.delete(schema.conversations).where(eq(schema.conversations.id, conversationId));
    stream.text("Too late").end({ input: 10, cacheRead: 0, cacheWrite: 0, output: 20 });
    await expect.poll(() => ledgerOf(user.id)).toMatchObject([{ input: 10, output: 20 }]);
    await expect.poll(() => monthOf(user.id)).toMatchObject({ usedTokens: 30, heldTokens: 0 });
  });

  test.each([1.5, -5, 1e18, Number.NaN])("a vendor that counts %d tokens has not counted", async (output) => {
    boot({ tokens: 10_000, micros: null });
    const { actor, user } = await node.person();
    const { answer } = await send(actor);
    (await scripted.next()).text("Some words").end({ input: 10, cacheRead: 0, cacheWrite: 0, output });
    const { status, receipt } = await endOf(actor, answer?.runId);
    expect(status).toBe("completed");
    expect(receipt.attempts).toMatchObject([{ estimated: true }]);
    const { input, output: said } = receipt.total.tokens;
    expect(await monthOf(user.id)).toMatchObject({ usedTokens: input + said, heldTokens: 0 });
  });

  test("a question that the vendor had begun to answer is charged, also when nobody waited for a word", async () => {
    boot({ tokens: 10_000, micros: null });
    const { actor } = await node.person();
    const { answer } = await send(actor);
    (await scripted.next()).ping();
    await new Promise((resolve) => setImmediate(resolve));
    await node.runs.stop(actor, { runId: answer?.runId ?? "" });
    const { receipt } = await endOf(actor, answer?.runId);
    expect(receipt.attempts).toMatchObject([{ outcome: "stopped", estimated: true, tokens: { output: 0 } }]);
    expect(receipt.total.tokens.input).toBeGreaterThan(0);
  });

  test("a budget in money takes no model whose price nobody knows", async () => {
    boot({ tokens: null, micros: 1_000_000 });
    const { actor } = await node.person();
    const { answer } = await send(actor, { model: "unpriced" });
    expect(await endOf(actor, answer?.runId)).toMatchObject({ status: "failed", error: { reason: "forbidden" } });
    const fallen = await send(actor, { model: "unpriced", fallbacks: ["priced"] });
    (await scripted.next()).end();
    expect(await endOf(actor, fallen.answer?.runId)).toMatchObject({ status: "completed" });
  });

  test("a message that was accepted is accepted again, also when nothing is left", async () => {
    boot({ tokens: 120, micros: null });
    const { actor } = await node.person();
    const message = { clientMessageId: "once", content: "Hello there", model: "priced" };
    const first = await node.turns.send(actor, message);
    await scripted.next();
    await expect(send(actor)).rejects.toMatchObject({ reason: "budget_exceeded" });
    expect((await node.turns.send(actor, message)).answer).toEqual(first.answer);
    await expect(node.turns.send(actor, { ...message, content: "Else" })).rejects.toMatchObject({
      reason: "idempotency_mismatch",
    });
  });

  test("a person's own budget stands in for the plan's", async () => {
    boot({ tokens: 10, micros: null });
    const { actor } = await node.person();
    await expect(send(actor)).rejects.toMatchObject({ reason: "budget_exceeded" });
    const richer = { ...actor, budget: { tokens: 10_000, micros: null } };
    const { answer } = await send(richer);
    (await scripted.next()).end();
    expect(await endOf(richer, answer?.runId)).toMatchObject({ status: "completed" });
  });

  test("a model of a higher plan is refused, and never chosen", async () => {
    boot(unlimited);
    const { actor } = await node.person();
    await expect(send(actor, { model: "for-pro" })).rejects.toMatchObject({ reason: "forbidden" });
    await expect(send(actor, { fallbacks: ["for-pro"] })).rejects.toMatchObject({ reason: "forbidden" });
    const pro = { ...actor, plan: "pro" as const };
    const { answer, conversationId } = await send(pro, { model: "for-pro" });
    (await scripted.next()).end();
    await endOf(pro, answer?.runId);
    await node.turns.send(actor, { clientMessageId: `b-${++sent}`, content: "And now?", conversationId });
    const stream = await scripted.next();
    expect(stream.request.model).toBe("priced");
    stream.end();
  });
});
