import {
  assemble,
  collect,
  databaseKinds,
  openTestDatabase,
  type ScriptedStream,
  scriptedProvider,
  type TestChat,
  type TestDatabase,
  testChat,
  testServices,
} from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";

describe.each(databaseKinds)("answers on a branch, on %s", (kind) => {
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

  type Actor = Parameters<typeof node.turns.send>[0];
  const contents = async (actor: Actor, conversationId: string) =>
    (await node.messages.list(actor, { conversationId })).items.map(({ content }) => content);
  const member = (actor: Actor, conversationId: string, role: "editor" | "viewer") =>
    database.database.insert(schema.members).values({ conversationId, userId: actor.userId, role });
  const textsOf = ({ request }: ScriptedStream) =>
    request.messages.flatMap((message) =>
      "parts" in message ? message.parts.map((part) => ("text" in part ? part.text : "")) : [],
    );
  const missing = "01a1fd8a-0000-7000-8000-000000000000";

  test("regenerating makes a sibling with the same question, and the branch goes on from it", async () => {
    const { actor } = await node.person();
    const first = await chat.answered(actor, "One.");
    const { conversationId } = first;
    const again = await node.turns.regenerate(actor, { messageId: first.answerId });
    const stream = await scripted.next();
    expect(stream.request.messages).toEqual([{ role: "user", parts: [{ type: "text", text: "Hello" }] }]);
    stream.text("Another one.").end();
    expect(again.message).toMatchObject({
      role: "assistant",
      status: "running",
      parentId: first.message.id,
      siblings: { ids: [first.answerId, again.answer?.messageId], index: 1 },
    });
    const entries = await collect(await node.follow(actor, { runId: again.answer?.runId ?? "" }));
    expect(assemble(entries)).toBe("Another one.");
    expect(await contents(actor, conversationId)).toEqual(["Hello", "Another one."]);
    expect(await node.conversations.get(actor, conversationId)).toMatchObject({ messageCount: 3 });

    const next = await chat.answered(actor, "Two.", { conversationId });
    expect(next.message.parentId).toBe(again.answer?.messageId);
    expect(await contents(actor, conversationId)).toEqual(["Hello", "Another one.", "Hello", "Two."]);
  });

  test("a question that was not answered, or whose answer failed, can be answered later by the model that is named", async () => {
    const { actor } = await node.person();
    const { conversationId, message } = await node.turns.send(actor, { ...chat.message("Anyone?"), answer: false });
    const failing = await node.turns.regenerate(actor, { messageId: message.id, model: "scripted-2" });
    (await scripted.next()).text("I am").cut();
    await collect(await node.follow(actor, { runId: failing.answer?.runId ?? "" }));
    const retried = await node.turns.regenerate(actor, { messageId: failing.answer?.messageId ?? "" });
    const stream = await scripted.next();
    expect(stream.request).toMatchObject({ model: "scripted-2", messages: [{ role: "user" }] });
    stream.text("I am here.").end();
    await collect(await node.follow(actor, { runId: retried.answer?.runId ?? "" }));
    expect(await contents(actor, conversationId)).toEqual(["Anyone?", "I am here."]);
  });

  test("the same regeneration twenty times at once is one answer", async () => {
    const { actor } = await node.person();
    const { answerId } = await chat.answered(actor, "One.");
    const once = { messageId: answerId, clientMessageId: "again-1" };
    const all = await Promise.all(Array.from({ length: 20 }, () => node.turns.regenerate(actor, once)));
    (await scripted.next()).end();
    expect(new Set(all.map(({ answer }) => answer?.runId)).size).toBe(1);
    const other = node.turns.regenerate(actor, { ...once, model: "scripted-2" });
    await expect(other).rejects.toMatchObject({ reason: "idempotency_mismatch" });
  });

  test("regenerating is refused to strangers as if there were nothing, to viewers, and where nothing was asked", async () => {
    const owner = await node.person();
    const { answerId, conversationId } = await chat.answered(owner.actor, "Mine.");
    const stranger = await node.person();
    for (const messageId of [answerId, missing]) {
      const refused = node.turns.regenerate(stranger.actor, { messageId });
      await expect(refused).rejects.toMatchObject({ reason: "not_found", message: "This message does not exist" });
    }
    const viewer = await node.person();
    await member(viewer.actor, conversationId, "viewer");
    await expect(node.turns.regenerate(viewer.actor, { messageId: answerId })).rejects.toMatchObject({ reason: "forbidden" });
    const id = node.ports.ids.next();
    const alone = { id, conversationId, role: "assistant", content: "Welcome", status: "complete" } as const;
    await database.database.insert(schema.messages).values(alone);
    await expect(node.turns.regenerate(owner.actor, { messageId: id })).rejects.toMatchObject({ reason: "conflict" });
  });

  test("two people who ask at once are answered one after the other, and the second answer knows the first", async () => {
    const owner = await node.person();
    const guest = await node.person();
    const { conversationId } = await chat.answered(owner.actor, "Welcome.");
    await member(guest.actor, conversationId, "editor");
    const [left, right] = await Promise.all([
      node.turns.send(owner.actor, { ...chat.message("Left?"), conversationId }),
      node.turns.send(guest.actor, { ...chat.message("Right?"), conversationId }),
    ]);
    const first = await scripted.next();
    first.text("First.").end();
    const second = await scripted.next();
    const texts = textsOf(second);
    expect(texts).toHaveLength(textsOf(first).length + 2);
    expect(texts.at(-2)).toBe("First.");
    expect(texts.slice(-3).join()).toMatch(/(Left\?,First\.,.*Right\?|Right\?,First\.,.*Left\?)$/);
    second.text("Second.").end();
    for (const { answer } of [left, right]) {
      const entries = await collect(await node.follow(owner.actor, { runId: answer?.runId ?? "" }));
      expect(entries.at(-1)?.event).toMatchObject({ type: "run-end", status: "completed" });
    }
    expect(
      (await contents(guest.actor, conversationId)).filter((content) => content.endsWith(".") || content.endsWith("?")),
    ).toEqual(expect.arrayContaining(["Left?", "Right?", "First.", "Second."]));
    expect(await contents(owner.actor, conversationId)).toHaveLength(6);
  });

  test("a turn that waits for another node's answer can be stopped, and goes on when that one ends", async () => {
    const { actor } = await node.person();
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const first = await chat.begun(actor, "Still writing");
    const { conversationId } = first;
    const stopped = await elsewhere.turns.send(actor, { ...chat.message("Stop this"), conversationId });
    const runId = stopped.answer?.runId ?? "";
    await node.runs.stop(actor, { runId });
    const ended = await collect(await elsewhere.follow(actor, { runId }));
    expect(ended.at(-1)?.event).toMatchObject({ type: "run-end", status: "stopped", receipt: { attempts: [] } });
    const waiting = await elsewhere.turns.send(actor, { ...chat.message("And then?"), conversationId });
    first.stream.text(" to the end").end();
    const second = await scripted.next();
    expect(textsOf(second)).toEqual(["Hello", "Still writing to the end", "Stop this\n\nAnd then?"]);
    second.text("Then this.").end();
    const entries = await collect(await elsewhere.follow(actor, { runId: waiting.answer?.runId ?? "" }));
    expect(assemble(entries)).toBe("Then this.");
    await elsewhere.stop();
  });

  test("a reply names the message that it answers and makes no branch", async () => {
    const { actor } = await node.person();
    const { conversationId, message, answerId } = await chat.answered(actor, "One.");
    const stranger = await chat.answered((await node.person()).actor, "Elsewhere.");
    const reply = { ...chat.message("About that"), conversationId, replyToId: message.id, answer: false };
    const sent = await node.turns.send(actor, reply);
    expect(sent.message).toMatchObject({ parentId: answerId, replyToId: message.id, siblings: { index: 0 } });
    for (const replyToId of [stranger.message.id, missing]) {
      const refused = node.turns.send(actor, { ...chat.message(), conversationId, replyToId });
      await expect(refused).rejects.toMatchObject({ reason: "not_found" });
    }
    expect(await contents(actor, conversationId)).toEqual(["Hello", "One.", "About that"]);
  });

  test("the end of an answer tells of the siblings that have come meanwhile", async () => {
    const { actor } = await node.person();
    const first = await chat.begun(actor, "One.");
    const again = await node.turns.regenerate(actor, { messageId: first.answerId });
    const second = await scripted.next();
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    const told = live.next();
    first.stream.end();
    expect((await told).value?.event).toMatchObject({
      type: "message-updated",
      message: { id: first.answerId, siblings: { ids: [first.answerId, again.answer?.messageId], index: 0 } },
    });
    await live.return?.();
    second.end();
  });
});
