import type { RunEvent } from "@parley/contract/events";
import {
  assemble,
  collect,
  databaseKinds,
  openTestDatabase,
  scriptedProvider,
  type TestChat,
  type TestDatabase,
  testChat,
  testServices,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statement } from "../database/statement.ts";
import type { FeedEntry } from "../feed.ts";
import { ProviderError } from "../models/provider.ts";

describe.each(databaseKinds)("chat on %s", (kind) => {
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

  test("a first message makes a conversation with its answer", async () => {
    const { actor, user } = await node.person();
    const accepted = await node.turns.send(actor, chat.message("What is a parley?\nTell me."));
    const stream = await scripted.next();
    expect(stream.request.messages).toEqual([{ role: "user", parts: [{ type: "text", text: "What is a parley?\nTell me." }] }]);
    stream.text("A talk ").text("between foes.").end();
    const entries = await collect(await node.follow(actor, { runId: accepted.answer?.runId ?? "" }));

    expect(entries[0]?.event).toMatchObject({ type: "run-start", provider: "scripted", attempt: 1 });
    expect(assemble(entries)).toBe("A talk between foes.");
    expect(entries.at(-1)?.event).toMatchObject({ type: "run-end", status: "completed", finishReason: "stop", length: 20 });
    const [conversation] = (await node.conversations.list(actor, {})).items;
    expect(conversation).toMatchObject({
      id: accepted.conversationId,
      title: "What is a parley? Tell me.",
      messageCount: 2,
      myRole: "owner",
      lastMessage: { role: "assistant", excerpt: "A talk between foes." },
      members: [{ role: "owner", user: { id: user.id } }],
    });
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    expect(items.map(({ role, content, status }) => ({ role, content, status }))).toEqual([
      { role: "user", content: "What is a parley?\nTell me.", status: "complete" },
      { role: "assistant", content: "A talk between foes.", status: "complete" },
    ]);
    expect(items[0]).toEqual(accepted.message);
  });

  test("a later message continues the branch, and the model gets the history", async () => {
    const { actor } = await node.person();
    const first = await chat.answered(actor, "One.");
    const second = await node.turns.send(actor, { ...chat.message("And two?"), conversationId: first.conversationId });
    const stream = await scripted.next();
    expect(stream.request.messages.map((message) => "parts" in message && message.parts)).toEqual(
      ["Hello", "One.", "And two?"].map((text) => [{ type: "text", text }]),
    );
    stream.text("Two.").end();
    expect(second.message.parentId).toBe(first.answer?.messageId);
    await collect(await node.follow(actor, { runId: second.answer?.runId ?? "" }));

    const page = await node.messages.list(actor, { conversationId: first.conversationId, limit: 3 });
    expect(page.items.map(({ content }) => content)).toEqual(["One.", "And two?", "Two."]);
    const rest = await node.messages.list(actor, { conversationId: first.conversationId, cursor: page.nextCursor ?? "" });
    expect(rest.items.map(({ content }) => content)).toEqual(["Hello"]);
    expect(rest.nextCursor).toBeNull();
  });

  test("a message to a named parent makes a sibling branch", async () => {
    const { actor } = await node.person();
    const first = await chat.answered(actor, "One.");
    const send = (content: string) =>
      node.turns.send(actor, {
        ...chat.message(content),
        conversationId: first.conversationId,
        parentId: first.answer?.messageId,
        answer: false,
      });
    const left = await send("Left");
    const right = await send("Right");
    expect(right.message.parentId).toBe(left.message.parentId);
    const { items } = await node.messages.list(actor, { conversationId: first.conversationId });
    expect(items.at(-1)).toMatchObject({ content: "Right", siblings: { ids: [left.message.id, right.message.id], index: 1 } });
  });

  test("the same message sent twenty times at once is one turn", async () => {
    const { actor } = await node.person();
    const once = chat.message();
    const all = await Promise.all(Array.from({ length: 20 }, () => node.turns.send(actor, once)));
    (await scripted.next()).end();
    expect(new Set(all.map(({ answer }) => answer?.runId)).size).toBe(1);
    expect(new Set(all.map(({ conversationId }) => conversationId)).size).toBe(1);
    expect((await node.conversations.list(actor, {})).items).toHaveLength(1);
  });

  test("another message with the same clientMessageId is refused", async () => {
    const { actor } = await node.person();
    const once = chat.message();
    await node.turns.send(actor, { ...once, answer: false });
    await expect(node.turns.send(actor, { ...once, content: "Else", answer: false })).rejects.toMatchObject({
      reason: "idempotency_mismatch",
    });
  });

  test("messages sent at once all land, one below the other, and each is counted", async () => {
    const { actor } = await node.person();
    const { conversationId } = await chat.answered(actor, "One.");
    const send = () => node.turns.send(actor, { ...chat.message(), conversationId, answer: false });
    const sent = await Promise.all(Array.from({ length: 12 }, send));
    const { items } = await node.messages.list(actor, { conversationId });
    expect(items.slice(2).map(({ id }) => id)).toEqual(expect.arrayContaining(sent.map(({ message }) => message.id)));
    expect(items).toHaveLength(14);
    expect(await node.conversations.get(actor, conversationId)).toMatchObject({
      messageCount: 14,
      lastMessage: { id: items[13]?.id },
    });
  });

  const locked = statement<object, { pid: number }>(
    "locked_backends",
    sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  const lockedBackends = async () => (await locked(database.database, {})).length;

  test("a message that waits for its conversation finds it gone", async () => {
    const { actor } = await node.person();
    const { conversationId } = await node.turns.send(actor, { ...chat.message(), answer: false });
    const waiting = { ...chat.message(), conversationId, answer: false };
    const sent = await database.database.transaction(async (transaction) => {
      await transaction.execute(`delete from conversations where id = '${conversationId}'`);
      const sending = node.turns.send(actor, waiting).catch((refusal: unknown) => refusal);
      // Where there is one connection, the transaction holds it off.
      if (kind === "postgres") await expect.poll(lockedBackends, { timeout: 5_000 }).toBe(1);
      return { sending };
    });
    await expect(sent.sending).resolves.toMatchObject({ reason: "not_found" });
    await expect(node.turns.send(actor, waiting)).rejects.toMatchObject({ reason: "not_found" });
  });

  test("somebody else's conversation, run and message are as if they did not exist", async () => {
    const owner = await node.person();
    const stranger = await node.person();
    const { conversationId, runId, message: theirs } = await chat.answered(owner.actor, "Mine.");
    const mine = await chat.answered(stranger.actor, "Also mine.");
    const missing = "01a1fd8a-0000-7000-8000-000000000000";
    for (const [id, run, parentId] of [
      [conversationId, runId, theirs.id],
      [missing, missing, missing],
    ] as const) {
      const refusals = [
        node.conversations.get(stranger.actor, id),
        node.messages.list(stranger.actor, { conversationId: id }),
        node.turns.send(stranger.actor, { ...chat.message(), conversationId: id }),
        node.turns.send(stranger.actor, { ...chat.message(), conversationId: mine.conversationId, parentId }),
        node.follow(stranger.actor, { runId: run }),
      ];
      for (const refusal of await Promise.allSettled(refusals)) {
        expect(refusal).toMatchObject({ status: "rejected", reason: { reason: "not_found" } });
      }
    }
    expect((await node.conversations.list(stranger.actor, {})).items).toHaveLength(1);
  });

  test("a follower resumes after any event and has the stored text", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    const stream = await scripted.next();
    const runId = accepted.answer?.runId ?? "";
    const feed = await node.follow(actor, { runId });
    const words = ["Über ", "🙂", " שלום", " мир", " end"];
    const seen: FeedEntry<RunEvent>[] = [];
    for await (const entry of feed) {
      seen.push(entry);
      const word = words.shift();
      if (word) stream.text(word);
      else if (entry.event.type === "text-delta") stream.end();
    }
    const stored = (await node.messages.list(actor, { conversationId: accepted.conversationId })).items.at(-1)?.content;
    for (const [index, { id }] of seen.entries()) {
      const rest = await collect(await node.follow(actor, { runId, lastEventId: id }));
      expect(assemble(rest, assemble(seen.slice(0, index + 1)))).toBe(stored);
    }
    expect(stored).toBe("Über 🙂 שלום мир end");
  });

  test("a follower on a node without the log gets the same text from what is saved", async () => {
    const { actor } = await node.person();
    const { runId, entries } = await chat.answered(actor, "Saved words.");
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const late = await collect(await elsewhere.follow(actor, { runId }));
    expect(late.map(({ event }) => event.type)).toEqual(["run-start", "text-delta", "run-end"]);
    expect(late.at(-1)?.event).toEqual(entries.at(-1)?.event);
    const middle = entries.find(({ event }) => event.type === "text-delta");
    const rest = await collect(await elsewhere.follow(actor, { runId, lastEventId: middle?.id ?? "" }));
    expect(assemble(rest)).toBe("");
    await elsewhere.stop();
  });

  test("a stream that breaks off is a failure with its text kept", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    (await scripted.next()).text("Half a sen").cut();
    const entries = await collect(await node.follow(actor, { runId: accepted.answer?.runId ?? "" }));
    expect(entries.at(-1)?.event).toMatchObject({
      type: "run-end",
      status: "failed",
      length: 10,
      error: { reason: "provider_unavailable" },
    });
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    expect(items.at(-1)).toMatchObject({ content: "Half a sen", status: "failed", error: { reason: "provider_unavailable" } });
  });

  test("what a vendor's error says stays inside", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    (await scripted.next()).fail(new ProviderError("bad_request", "canary-key-in-a-message"));
    const entries = await collect(await node.follow(actor, { runId: accepted.answer?.runId ?? "" }));
    expect(JSON.stringify(entries)).not.toContain("canary");
    expect(entries.at(-1)?.event).toMatchObject({ status: "failed" });
  });

  test("text that Postgres cannot store is the same for followers and in the store", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, chat.message());
    (await scripted.next()).text("a\0b").text("\ud83d").text("\ude42").text("\ud83d").text("z").end();
    const entries = await collect(await node.follow(actor, { runId: accepted.answer?.runId ?? "" }));
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    expect(assemble(entries)).toBe("a\ufffdb🙂\ufffdz");
    expect(items.at(-1)?.content).toBe(assemble(entries));
  });

  test("a dead writer's run ends as interrupted, with the text of its last checkpoint", async () => {
    const { actor } = await node.person();
    const dying = testServices(database, { providers: [scripted.provider] });
    const accepted = await dying.turns.send(actor, chat.message());
    const stream = await scripted.next();
    stream.text("🙂 Before");
    const runId = accepted.answer?.runId ?? "";
    await collect(await dying.follow(actor, { runId }), ({ type }) => type === "text-delta");
    // The next checkpoint has it; then the process is no more.
    await expect.poll(async () => savedText(actor, runId), { timeout: 5_000 }).toBe("🙂 Before");
    stream.text(" the ").text("🙂 crash");
    await expect.poll(async () => savedText(actor, runId), { timeout: 5_000 }).toBe("🙂 Before the 🙂 crash");
    dying.background.stop();

    const heir = testServices(database, { providers: [scripted.provider], soleWriter: true });
    const entries = await collect(await heir.follow(actor, { runId }));
    expect(assemble(entries)).toBe("🙂 Before the 🙂 crash");
    expect(entries.at(-1)?.event).toMatchObject({ type: "run-end", status: "interrupted", length: 22 });
    const lines = () => heir.log.lines.flatMap(({ message, fields }) => (message === "run" ? [fields] : []));
    await expect.poll(lines).toMatchObject([{ runId, status: "interrupted", attempts: 0, characters: 22, reason: null }]);
    expect(Array.from(heir.meters.runs.cells())).toEqual([{ labels: ["interrupted"], value: 1 }]);
    stream.text(" and after").end();
    await dying.background.settled();
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    expect(items.at(-1)).toMatchObject({ content: "🙂 Before the 🙂 crash", status: "interrupted" });
    await heir.stop();
  });

  async function savedText(actor: Parameters<typeof node.turns.send>[0], runId: string) {
    const reader = testServices(database);
    const entries = await collect(await reader.follow(actor, { runId }), ({ type }) => type !== "run-start");
    await reader.stop();
    return assemble(entries);
  }

  test("a writer that another node has fenced brings its followers to the same end", async () => {
    const { actor } = await node.person();
    const paused = testServices(database, { providers: [scripted.provider] });
    const accepted = await paused.turns.send(actor, chat.message());
    const stream = await scripted.next();
    const runId = accepted.answer?.runId ?? "";
    const reading = collect(await paused.follow(actor, { runId }));
    stream.text("Before");
    await expect.poll(async () => savedText(actor, runId), { timeout: 5_000 }).toBe("Before");
    stream.text(" and what nobody has saved");
    const heir = testServices(database, { soleWriter: true });
    await heir.background.settled();
    const entries = await reading;
    expect(entries.filter(({ event }) => event.type === "run-end")).toHaveLength(1);
    expect(entries.at(-1)?.event).toMatchObject({ type: "run-end", status: "interrupted", length: 6 });
    expect(assemble(entries).slice(0, 6)).toBe("Before");
    expect(paused.runs.count()).toBe(0);
    const again = await collect(await paused.follow(actor, { runId, lastEventId: entries.at(-1)?.id }));
    expect(again).toEqual([]);
    await Promise.all([paused.stop(), heir.stop()]);
  });

  test("live tells every step of a turn, and resync where the log has a gap", async () => {
    const { actor } = await node.person();
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    const next = async () => (await live.next()).value;
    const first = next();
    const accepted = await node.turns.send(actor, chat.message());
    (await scripted.next()).text("Yes").end();
    const events = [(await first)?.event];
    while (events.length < 8) events.push((await next())?.event);
    expect(events).toMatchObject([
      { type: "conversation-created", conversation: { id: accepted.conversationId } },
      { type: "message-created", message: { role: "user" } },
      { type: "message-created", message: { role: "assistant", status: "running" } },
      { type: "run-started", runId: accepted.answer?.runId },
      { type: "typing", who: "model", typing: true },
      { type: "message-updated", message: { content: "Yes", status: "complete" } },
      { type: "run-ended", status: "completed" },
      { type: "typing", who: "model", typing: false },
    ]);
    await live.return?.();
    const resumed = (await node.live.follow(actor, { lastEventId: "12" }))[Symbol.asyncIterator]();
    expect((await resumed.next()).value?.event).toEqual({ type: "resync" });
    await resumed.return?.();
  });

  test("a live reader who is overtaken by what the log keeps is told once", async () => {
    const { actor } = await node.person();
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    const tell = (count: number) => {
      for (let index = 0; index < count; index++) node.eventLog.append(`user:${actor.userId}`, { type: "told", index });
    };
    const first = live.next();
    tell(1);
    await first;
    tell(2_000);
    const seen: string[] = [];
    for (;;) {
      const { value } = await live.next();
      seen.push(value?.event.type ?? "");
      if (seen.at(-1) === "resync") break;
    }
    tell(1);
    seen.push((await live.next()).value?.event.type ?? "");
    expect(seen.filter((type) => type === "resync")).toHaveLength(1);
    expect(seen.at(-1)).toBe("told");
    await live.return?.();
  });

  test("pages of conversations have every one once, newest activity first", async () => {
    const { actor } = await node.person();
    for (const content of ["one", "two", "three", "four", "five"])
      await node.turns.send(actor, { ...chat.message(content), answer: false });
    const titles: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await node.conversations.list(actor, { limit: 2, cursor });
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(titles).toEqual(["five", "four", "three", "two", "one"]);
  });

  test("wrong input is told by name", async () => {
    const { actor } = await node.person();
    const refused = (input: object) => expect(node.turns.send(actor, { ...chat.message(), ...input })).rejects;
    await refused({ content: "x".repeat(10_001) }).toMatchObject({ reason: "invalid_input", issues: [{ path: "content" }] });
    await refused({ model: "no-such-model" }).toMatchObject({ reason: "model_unknown" });
    await expect(node.conversations.list(actor, { cursor: "nonsense" })).rejects.toMatchObject({ reason: "invalid_input" });
    const { runId } = await chat.answered(actor, "x");
    await expect(node.follow(actor, { runId, lastEventId: "nonsense" })).rejects.toMatchObject({ reason: "invalid_input" });
    await expect(node.live.follow(actor, { lastEventId: "nonsense" })).rejects.toMatchObject({ reason: "invalid_input" });
  });

  test("the conversation's model answers unless another is asked for", async () => {
    const { actor } = await node.person();
    const first = await node.turns.send(actor, { ...chat.message(), model: "scripted-2" });
    (await scripted.next()).end();
    await node.turns.send(actor, { ...chat.message(), conversationId: first.conversationId });
    const second = await scripted.next();
    second.end();
    expect(second.request.model).toBe("scripted-2");
    await node.turns.send(actor, { ...chat.message(), conversationId: first.conversationId, model: "scripted" });
    const third = await scripted.next();
    third.end();
    expect(third.request.model).toBe("scripted");
  });

  test("a node that closes accepts nothing new and keeps what was written", async () => {
    const { actor } = await node.person();
    const closing = testServices(database, { providers: [scripted.provider] });
    const accepted = await closing.turns.send(actor, chat.message());
    (await scripted.next()).text("So far");
    await collect(await closing.follow(actor, { runId: accepted.answer?.runId ?? "" }), ({ type }) => type === "text-delta");
    closing.runs.refuseNew();
    await expect(closing.turns.send(actor, chat.message())).rejects.toMatchObject({ reason: "unavailable" });
    await closing.stop();
    const { items } = await node.messages.list(actor, { conversationId: accepted.conversationId });
    expect(items.at(-1)).toMatchObject({ content: "So far", status: "interrupted" });
  });
});
