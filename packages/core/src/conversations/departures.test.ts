import { databaseKinds, type TestAccounts, type TestChat, testAccounts, testChat } from "@parley/testing";
import { eq, type SQL, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { conversations, messages, runs } from "../database/schema.ts";
import { statement } from "../database/statement.ts";
import { endRun } from "../runs/queries.ts";
import { receiptOf } from "../tokens/costs.ts";

const origin = { address: "192.0.2.7" };
const epoch = "01a1fd8a-0000-7000-8000-000000000000";
const model = { provider: "demo", model: "demo" };
const attempt = {
  ...model,
  outcome: "completed",
  tokens: { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 },
  estimated: false,
  costMicros: 1,
  firstTokenMs: 1,
  durationMs: 1,
} as const;
const answer = {
  ...model,
  status: "completed",
  text: "Because",
  reasoning: "",
  tools: [],
  failovers: [],
  context: null,
  usage: null,
  finishReason: "stop",
  error: null,
  seq: 1,
} as const;

// Where there is one connection nobody waits for anybody.
describe.each(databaseKinds.filter((kind) => kind !== "pglite"))("departures on %s", (kind) => {
  let node: TestAccounts;
  let chat: TestChat;
  beforeAll(async () => {
    node = await testAccounts(kind);
    chat = testChat(node);
  });
  afterAll(() => node.stop());

  const locked = statement<object, { pid: number }>(
    "locked_backends",
    sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  async function waiting() {
    return (await locked(node.database, {})).length;
  }

  /** An answer that is being written, and a message after it. */
  async function answering({ userId }: Actor, conversationId: string) {
    const [messageId, laterId, runId] = [node.ids.next(), node.ids.next(), node.ids.next()];
    await node.database.insert(messages).values([
      { id: messageId, conversationId, role: "assistant", content: "", runId, status: "running" },
      { id: laterId, conversationId, role: "user", content: "Well?", status: "complete" },
    ]);
    const leaseUntil = new Date();
    await node.database
      .insert(runs)
      .values({ ...model, id: runId, messageId, conversationId, userId, status: "running", epoch, leaseUntil });
    const place = { runId, messageId, conversationId, epoch };
    const end = () =>
      endRun(node.database, { ...answer, ...place, tools: [], failovers: [], receipt: receiptOf(runId, [attempt]) });
    return { laterId, end };
  }

  /** Both are under way while somebody holds a row that only the first one changes. */
  async function meanwhile(held: SQL, first: () => Promise<unknown>, second: () => Promise<unknown>) {
    const under = await node.database.transaction(async (transaction) => {
      await transaction.execute(sql`select ${held} for key share`);
      const begun = [first()];
      await expect.poll(waiting).toBe(1);
      begun.push(second());
      await expect.poll(waiting).toBe(2);
      return begun;
    });
    await Promise.all(under);
  }

  const departures = {
    "leaves it": (actor: Actor, id: string) => node.members.leave(actor, id, origin),
    "deletes the account": (actor: Actor) => node.users.deleteAccount(actor, "Correct-horse-1", origin),
  };

  test.each(Object.entries(departures))("whoever %s last takes it along, also while an answer ends", async (_, leave) => {
    const { actor } = await node.person();
    const id = await chat.together([actor, "owner"]);
    const { laterId, end } = await answering(actor, id);
    await meanwhile(sql`id from messages where id = ${laterId}`, () => leave(actor, id), end);
    expect(await node.database.select().from(conversations).where(eq(conversations.id, id))).toEqual([]);
  });

  test("whoever deletes the account leaves others an answer that ends meanwhile", async () => {
    const [{ actor }, { actor: friend }] = await Promise.all([node.person(), node.person()]);
    const id = await chat.together([actor, "owner"], [friend, "editor"]);
    const { end } = await answering(actor, id);
    const departure = () => departures["deletes the account"](actor);
    await meanwhile(sql`id from sessions where user_id = ${actor.userId}`, departure, end);
    const [answer] = await node.database.select().from(messages).where(eq(messages.conversationId, id));
    expect(answer).toMatchObject({ content: "Because", status: "complete" });
  });
});
