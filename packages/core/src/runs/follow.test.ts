import type { RunEvent } from "@parley/contract/events";
import {
  assemble,
  collect,
  databaseKinds,
  isText,
  openTestDatabase,
  scriptedProvider,
  type TestChat,
  type TestDatabase,
  testChat,
  testServices,
} from "@parley/testing";
import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";

const { members, runs } = schema;

describe.each(databaseKinds)("following an answer, on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let chat: TestChat;
  const scripted = scriptedProvider();

  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database, { providers: [scripted.provider] });
    chat = testChat(node, scripted);
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  const typesOf = (entries: { event: RunEvent }[]) => entries.map(({ event }) => event.type);

  test("calls of tools stand in the message where they came, and are handed over once, from the log or without it", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    const stream = await scripted.next();
    stream.reasoning("Hm. ").text("Let me see. ").toolCall("call-1", "clock", { zone: "UTC" });
    stream.reasoning("So.").text("It is noon.").toolCall("call-2", "clock", {}).end();
    const runId = accepted.answer?.runId ?? "";
    const entries = await collect(await node.follow(actor, { runId }));
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    const parts = [
      { type: "reasoning", text: "Hm. " },
      { type: "text", text: "Let me see. " },
      { type: "tool-call", callId: "call-1", name: "clock", input: { zone: "UTC" } },
      { type: "reasoning", text: "So." },
      { type: "text", text: "It is noon." },
      { type: "tool-call", callId: "call-2", name: "clock", input: {} },
    ];
    expect(items.at(-1)).toMatchObject({ content: "Let me see. It is noon.", parts });
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    for (let seen = 0; seen < entries.length; seen++) {
      const lastEventId = entries[seen - 1]?.id;
      const rest = await collect(await elsewhere.follow(actor, { runId, lastEventId }));
      expect(typesOf(rest)).toEqual(typesOf(entries.slice(seen)));
      expect(rest.map(({ event }) => event)).toEqual(entries.slice(seen).map(({ event }) => event));
    }
    await elsewhere.stop();
  });

  test("a reader who left in the middle of what was saved gets the rest of it, also where the log has all", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    const stream = await scripted.next();
    stream.reasoning("Hm. ").text("Let me see. ").toolCall("call-1", "clock", {}).reasoning("So.").text("It is noon.").end();
    const runId = accepted.answer?.runId ?? "";
    const all = await collect(await node.follow(actor, { runId }));
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const saved = await collect(await elsewhere.follow(actor, { runId }));
    for (const [index, { id }] of saved.entries()) {
      const rest = await collect(await node.follow(actor, { runId, lastEventId: id }));
      expect(assemble([...saved.slice(0, index + 1), ...rest])).toBe("Let me see. It is noon.");
      expect(typesOf([...saved.slice(0, index + 1), ...rest])).toEqual(typesOf(all));
    }
    await elsewhere.stop();
  });

  test("a dead writer's calls of tools, thoughts and text are kept, everybody is told, and followers elsewhere hear the end", async () => {
    const { actor } = await node.person();
    const dying = testServices(database, { providers: [scripted.provider] });
    const accepted = await dying.turns.send(actor, chat.message());
    const runId = accepted.answer?.runId ?? "";
    const stream = await scripted.next();
    stream.reasoning("Hm.").text("Before ").toolCall("call-1", "clock", {}).text("after 🙂");
    const row = async () => (await database.database.select().from(runs).where(eq(runs.id, runId)))[0];
    await expect.poll(async () => (await row())?.text, { timeout: 5_000 }).toBe("Before after 🙂");
    dying.background.stop();
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    const told = [live.next(), live.next()];
    const reading = collect(await node.follow(actor, { runId }));
    await database.database
      .update(runs)
      .set({ leaseUntil: new Date(0) })
      .where(eq(runs.id, runId));
    const entries = await reading;
    expect(typesOf(entries)).toEqual(["run-start", "reasoning-delta", "text-delta", "tool-call", "text-delta", "run-end"]);
    expect(entries.at(-1)?.event).toMatchObject({ status: "interrupted", length: 15 });
    expect(assemble(entries)).toBe("Before after 🙂");
    const [updated, ended] = await Promise.all(told);
    expect(updated?.value?.event).toMatchObject({
      type: "message-updated",
      message: {
        status: "interrupted",
        content: "Before after 🙂",
        parts: [{ type: "reasoning" }, { text: "Before " }, { type: "tool-call" }, { text: "after 🙂" }],
      },
    });
    expect(ended?.value?.event).toMatchObject({ type: "run-ended", runId, status: "interrupted" });
    stream.end();
    await dying.stop();
  });

  test("who is no longer in the conversation stops receiving at once, on every node, and nobody else does", async () => {
    const owner = await node.person();
    const guest = await node.person();
    const { conversationId } = await chat.answered(owner.actor, "Welcome.");
    await database.database.insert(members).values({ conversationId, userId: guest.actor.userId, role: "editor" });
    const { runId, stream } = await chat.begun(guest.actor, "For you ", { conversationId });
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const cut = [collect(await node.follow(guest.actor, { runId })), collect(await elsewhere.follow(guest.actor, { runId }))].map(
      (reading) => expect(reading).rejects.toMatchObject({ reason: "not_found" }),
    );
    const staying = collect(await elsewhere.follow(owner.actor, { runId }));
    const { userId } = guest.actor;
    const change = { kind: "membership_ended", userId, conversationId } as const;
    await database.database.delete(members).where(and(eq(members.conversationId, conversationId), eq(members.userId, userId)));
    await database.database.insert(schema.accessChanges).values(change);
    node.access.apply(change);
    await Promise.all(cut);
    await expect(node.follow(guest.actor, { runId })).rejects.toMatchObject({ reason: "not_found" });
    const live = (await node.live.follow(guest.actor, {}))[Symbol.asyncIterator]();
    const heard = live.next();
    stream.text("and for those who stay").end();
    expect(assemble(await staying)).toBe("For you and for those who stay");
    await node.turns.send(guest.actor, { ...chat.message("Mine alone"), answer: false });
    expect((await heard).value?.event).toMatchObject({ type: "conversation-created" });
    await live.return?.();
    await elsewhere.stop();
  });

  test("a follower elsewhere hears of an end that no log brings, and of a conversation that is gone", async () => {
    const { actor } = await node.person();
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const first = await chat.begun(actor, "One ");
    const reading = collect(await elsewhere.follow(actor, { runId: first.runId }));
    first.stream.text("and all").end();
    expect(assemble(await reading)).toBe("One and all");
    const second = await chat.begun(actor, "Two ");
    const lost = collect(await elsewhere.follow(actor, { runId: second.runId }));
    const refused = expect(lost).rejects.toMatchObject({ reason: "not_found" });
    await database.database.delete(schema.conversations).where(eq(schema.conversations.id, second.conversationId));
    await refused;
    second.stream.end();
    await elsewhere.stop();
  });

  test("stopping is heard on the node that writes, before the first token too, and stopping again changes nothing", async () => {
    const { actor } = await node.person();
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const accepted = await node.turns.send(actor, chat.message());
    const runId = accepted.answer?.runId ?? "";
    const stream = await scripted.next();
    await elsewhere.runs.stop(actor, { runId });
    await elsewhere.runs.stop(actor, { runId });
    const entries = await collect(await node.follow(actor, { runId }));
    expect(entries.at(-1)?.event).toMatchObject({ type: "run-end", status: "stopped", length: 0 });
    expect(stream.signal.aborted).toBe(true);
    await node.runs.stop(actor, { runId });
    expect(await collect(await elsewhere.follow(actor, { runId }), isText)).toMatchObject([
      { event: { type: "run-start" } },
      { event: { type: "run-end", status: "stopped" } },
    ]);
    await elsewhere.stop();
  });

  test("an answer that has ended is handed over at once, whatever the log would say, after any of its events", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    (await scripted.next()).reasoning("Hm.").text("One 🙂").toolCall("call-1", "clock", {}).text(" and two").end();
    const runId = accepted.answer?.runId ?? "";
    const all = await collect(await node.follow(actor, { runId }));
    await node.background.settled();
    const follow = () => {
      throw new Error("The log was asked");
    };
    const late = testServices(database, { eventLog: { ...node.eventLog, follow } });
    for (let seen = 0; seen <= all.length; seen++) {
      const rest = await collect(await late.follow(actor, { runId, lastEventId: all[seen - 1]?.id }));
      expect(rest.map(({ event }) => event)).toEqual(all.slice(seen).map(({ event }) => event));
    }
    await late.stop();
  });

  test("an id that was never given, beyond the end, gets the end; the end's own id gets nothing more", async () => {
    const { actor } = await node.person();
    const { runId, entries } = await chat.answered(actor, "Short.");
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const beyond = await collect(await elsewhere.follow(actor, { runId, lastEventId: "99999999-999999-0" }));
    expect(typesOf(beyond)).toEqual(["run-end"]);
    expect(await collect(await elsewhere.follow(actor, { runId, lastEventId: entries.at(-1)?.id }))).toEqual([]);
    await elsewhere.stop();
  });

  test("what a fenced writer has spent is charged once it comes back, and stands in the receipt", async () => {
    const { actor } = await node.person();
    const paused = testServices(database, { providers: [scripted.provider] });
    const accepted = await paused.turns.send(actor, chat.message());
    const runId = accepted.answer?.runId ?? "";
    const stream = (await scripted.next()).text("Some words");
    paused.background.stop();
    await database.database
      .update(runs)
      .set({ leaseUntil: new Date(0) })
      .where(eq(runs.id, runId));
    await collect(await node.follow(actor, { runId }));
    stream.end({ input: 7, cacheRead: 0, cacheWrite: 0, output: 5 });
    await paused.background.settled();
    const ledger = await database.database.select().from(schema.usageLedger).where(eq(schema.usageLedger.runId, runId));
    expect(ledger).toMatchObject([{ attempt: 1, input: 7, output: 5 }]);
    expect(await node.runView.get(actor, { runId })).toMatchObject({
      status: "interrupted",
      receipt: { attempts: [{ tokens: { input: 7, output: 5 } }] },
    });
    await paused.stop();
  });

  test("an answer that is deleted while it is being written is over for everybody", async () => {
    const { actor } = await node.person();
    const { runId, answerId, stream } = await chat.begun(actor, "Never ");
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    const heard: string[] = [];
    const listening = (async () => {
      for (;;) {
        const { value } = await live.next();
        if (!value) return;
        heard.push(value.event.type);
        if (value.event.type === "typing") return;
      }
    })();
    await node.messages.delete(actor, answerId, { address: "192.0.2.7" });
    await listening;
    expect(heard).toEqual(expect.arrayContaining(["message-deleted", "run-ended", "typing"]));
    expect(stream.signal.aborted).toBe(true);
    await expect(node.follow(actor, { runId })).rejects.toMatchObject({ reason: "not_found" });
    await live.return?.();
  });
});
