import type { RunEvent } from "@parley/contract/events";
import {
  databaseKinds,
  openTestDatabase,
  scriptedProvider,
  type TestChat,
  type TestDatabase,
  testChat,
  testOrigin,
  testServices,
} from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { schema } from "../database/index.ts";
import { AppError } from "../errors.ts";
import { ProviderError } from "../models/provider.ts";

const missing = "01a1fd8a-0000-7000-8000-000000000000";
const missingMessage = { reason: "not_found", message: "This message does not exist" };

describe.each(databaseKinds)("changes of messages on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let chat: TestChat;
  const scripted = scriptedProvider();

  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database, { providers: [scripted.provider] });
    chat = testChat(node);
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  const edit = (actor: Actor, id: string, content: string) => node.messages.edit(actor, { id, content }, testOrigin);
  const remove = (actor: Actor, id: string) => node.messages.delete(actor, id, testOrigin);

  async function write(actor: Actor, content: string, place: { conversationId?: string; parentId?: string } = {}) {
    const { message } = await node.turns.send(actor, {
      clientMessageId: node.ports.ids.next(),
      content,
      answer: false,
      ...place,
    });
    return message;
  }

  async function writeAll(actor: Actor, contents: readonly string[]) {
    const begin = await write(actor, contents[0] ?? "");
    const { conversationId } = begin;
    const messages = [begin];
    for (const content of contents.slice(1)) messages.push(await write(actor, content, { conversationId }));
    return { conversationId, ids: messages.map(({ id }) => id) };
  }

  async function ask(actor: Actor, place: { conversationId?: string } = {}) {
    const sent = await node.turns.send(actor, { clientMessageId: node.ports.ids.next(), content: "Ask", ...place });
    const { answer, conversationId, message } = sent;
    if (!answer) throw new Error("There is no answer");
    return { conversationId, question: message.id, ...answer, stream: await scripted.next() };
  }

  async function followed(actor: Actor, runId: string, follow = node.follow) {
    const events: RunEvent[] = [];
    for await (const { event } of await follow(actor, { runId })) events.push(event);
    return events;
  }

  const textOf = (events: RunEvent[]) => events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
  const list = async (actor: Actor, conversationId: string) => (await node.messages.list(actor, { conversationId })).items;
  const contents = async (actor: Actor, conversationId: string) =>
    (await list(actor, conversationId)).map(({ content }) => content);
  const counts = async (actor: Actor, conversationId: string) => {
    const { messageCount, unreadCount } = await node.conversations.get(actor, conversationId);
    return { messageCount, unreadCount };
  };

  async function audited(actorId: string) {
    await node.background.settled();
    const lines = await database.database.query.auditLog.findMany({ where: (row, { eq }) => eq(row.actorId, actorId) });
    return lines
      .filter(({ action }) => action.startsWith("message."))
      .map(({ action, target, outcome, address }) => ({ action, target, outcome, address }));
  }

  test("an edit changes the text everywhere, keeps what it was, and is told to every member", async () => {
    const { actor, user } = await node.person();
    const other = await node.person();
    const { id, conversationId } = await write(actor, "Hallo wrold");
    await chat.join(conversationId, other.actor, "viewer");
    const { heard: told } = await chat.listen(other.actor);
    const edited = await edit(actor, id, "Hello world");
    expect(edited).toMatchObject({ content: "Hello world", parts: [{ type: "text", text: "Hello world" }] });
    expect(edited.editedAt).toBeInstanceOf(Date);
    expect(await node.messages.get(actor, id)).toEqual(edited);
    expect(told).toEqual([{ type: "message-updated", message: edited }]);
    await edit(actor, id, "Hello, world");
    expect(await node.messages.history(other.actor, id)).toEqual([
      { content: "Hallo wrold", editor: { id: user.id, name: expect.any(String), avatar: null }, replacedAt: expect.any(Date) },
      { content: "Hello world", editor: { id: user.id, name: expect.any(String), avatar: null }, replacedAt: expect.any(Date) },
    ]);
    const done = { action: "message.edit", target: `message:${id}`, outcome: "done", address: testOrigin.address };
    expect(await audited(actor.userId)).toEqual([done, done]);
  });

  test("each edit is later than the one before, on any node and whatever the clock says, so that the last state is known", async () => {
    const { actor } = await node.person();
    const other = chat.another();
    const { heard } = await chat.listen(actor);
    const { heard: heardElsewhere } = await chat.listen(actor, other);
    const { id } = await write(actor, "Hello");
    await database.database.execute(sql`update messages set edited_at = now() + interval '1 hour' where id = ${id}::uuid`);
    const editing = Array.from({ length: 12 }, (_, index) =>
      (index % 2 ? node : other).messages.edit(actor, { id, content: `Edit ${index}` }, testOrigin),
    );
    const edited = await Promise.all(editing);
    expect(new Set(edited.map(({ editedAt }) => editedAt?.getTime())).size).toBe(12);
    const states = [...heardElsewhere, ...heard].flatMap((event) => (event.type === "message-updated" ? [event.message] : []));
    expect(states).toHaveLength(12);
    const last = states.reduce((held, state) => (Number(state.editedAt) > Number(held.editedAt) ? state : held));
    expect(last).toEqual(await node.messages.get(actor, id));
    await other.stop();
  });

  test("the same words again change nothing", async () => {
    const { actor } = await node.person();
    const message = await write(actor, "Hello");
    const { heard: told } = await chat.listen(actor);
    expect(await edit(actor, message.id, "Hello")).toEqual(message);
    expect(told).toEqual([]);
    expect(await node.messages.history(actor, message.id)).toEqual([]);
    expect(await audited(actor.userId)).toEqual([]);
  });

  test("people change what they wrote themselves, editors also answers that have ended, viewers nothing", async () => {
    const owner = await node.person();
    const editor = await node.person();
    const viewer = await node.person();
    const stranger = await node.person();
    const { conversationId, question, messageId, runId, stream } = await ask(owner.actor);
    await chat.join(conversationId, editor.actor, "editor");
    await chat.join(conversationId, viewer.actor, "viewer");
    const theirs = await write(editor.actor, "The editor's", { conversationId, parentId: question });

    await expect(edit(editor.actor, messageId, "Too early")).rejects.toMatchObject({ reason: "conflict" });
    stream.text("An answer").end();
    await followed(owner.actor, runId);
    expect((await edit(editor.actor, messageId, "A better answer")).content).toBe("A better answer");
    expect((await edit(editor.actor, theirs.id, "Still the editor's")).content).toBe("Still the editor's");
    await expect(edit(owner.actor, theirs.id, "Mine")).rejects.toMatchObject({ reason: "forbidden" });
    await expect(edit(editor.actor, question, "Mine")).rejects.toMatchObject({ reason: "forbidden" });
    for (const id of [question, messageId, theirs.id]) {
      await expect(edit(viewer.actor, id, "Mine")).rejects.toMatchObject({ reason: "forbidden" });
      await expect(edit(stranger.actor, id, "Mine")).rejects.toMatchObject(missingMessage);
    }
    await expect(edit(stranger.actor, missing, "Mine")).rejects.toMatchObject(missingMessage);
    const refused = await audited(viewer.actor.userId);
    expect(refused.map(({ action, outcome }) => [action, outcome])).toEqual(Array(3).fill(["message.edit", "refused"]));
    expect(await audited(stranger.actor.userId)).toEqual([]);
  });

  test("a message of a person is as long as settings say, an answer 200,000 characters", async () => {
    const { actor } = await node.person();
    const { question, messageId, runId, stream } = await ask(actor);
    stream.text("Short").end();
    await followed(actor, runId);
    for (const [id, most] of [
      [question, 10_000],
      [messageId, 200_000],
    ] as const) {
      await expect(edit(actor, id, "x".repeat(most + 1))).rejects.toMatchObject({
        reason: "invalid_input",
        issues: [{ path: "content", message: `A message has at most ${most} characters` }],
      });
      expect((await edit(actor, id, "x".repeat(most))).content).toHaveLength(most);
    }
  });

  test("any text of 200,000 characters is kept", async () => {
    const { actor } = await node.person();
    const { messageId, runId, stream } = await ask(actor);
    stream.text("Short").end();
    await followed(actor, runId);
    const letters = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => String.fromCodePoint(first + index));
    for (const alphabet of [
      letters(0x5d0, 27),
      letters(0x627, 20),
      letters(0x430, 32),
      letters(0x4e00, 60),
      letters(0x1f600, 60),
    ]) {
      const size = alphabet.length;
      const words = Array.from({ length: 60_000 }, (_, index) =>
        [index, Math.floor(index / size), Math.floor(index / size / size)].map((place) => alphabet[place % size]).join(""),
      );
      const text = words.join(" ").slice(0, 200_000).toWellFormed();
      expect((await edit(actor, messageId, text)).content).toBe(text);
    }
  });

  test("an edited answer keeps its reasoning, and followers of its run the text that it ended with", async () => {
    const { actor } = await node.person();
    const { messageId, runId, stream } = await ask(actor);
    stream.reasoning("Let me think").text("As it ended").end();
    await followed(actor, runId);
    await edit(actor, messageId, "As it was edited");
    const { parts } = await edit(actor, messageId, "As it was edited again");
    expect(parts).toEqual([
      { type: "reasoning", text: "Let me think" },
      { type: "text", text: "As it was edited again" },
    ]);
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const events = await followed(actor, runId, elsewhere.follow);
    await elsewhere.stop();
    expect(textOf(events)).toBe("As it ended");
    expect(events.at(-1)).toMatchObject({ type: "run-end", length: "As it ended".length });
  });

  test("an answer that failed is a text once somebody has written one", async () => {
    const { actor } = await node.person();
    const { messageId, runId, stream } = await ask(actor);
    stream.fail(new ProviderError("bad_request", "No"));
    await followed(actor, runId);
    expect(await node.messages.get(actor, messageId)).toMatchObject({ type: "error", content: "" });
    expect(await edit(actor, messageId, "By hand")).toMatchObject({ type: "text", content: "By hand", status: "failed" });
  });

  test("nothing that was summed up before a change stands for it afterwards", async () => {
    const { actor } = await node.person();
    const { conversationId, ids } = await writeAll(actor, ["1", "2", "3"]);
    const [first = "", second = "", third = ""] = ids;
    const summedUp = async () => {
      const rows = await database.database.query.summaries.findMany({
        where: (row, { eq }) => eq(row.conversationId, conversationId),
      });
      return rows.map(({ messageId }) => messageId).sort();
    };
    const summary = { conversationId, content: "In short", model: "scripted" };
    await database.database.insert(schema.summaries).values(ids.map((messageId) => ({ ...summary, messageId })));
    await edit(actor, third, "3, in other words");
    expect(await summedUp()).toEqual([first, second]);
    await remove(actor, second);
    expect(await summedUp()).toEqual([first]);
  });

  test("twenty edits at once all land in the history, and none is lost", async () => {
    const { actor } = await node.person();
    const { id } = await write(actor, "Text 0");
    const texts = Array.from({ length: 20 }, (_, index) => `Text ${index + 1}`);
    await Promise.all(texts.map((text) => edit(actor, id, text)));
    const history = await node.messages.history(actor, id);
    const { content } = await node.messages.get(actor, id);
    expect(history[0]?.content).toBe("Text 0");
    expect([...history.map((entry) => entry.content), content].sort()).toEqual(["Text 0", ...texts].sort());
    const times = history.map(({ replacedAt }) => replacedAt.getTime());
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test("what followed a deleted message hangs on what came before it", async () => {
    const { actor } = await node.person();
    const other = await node.person();
    const { conversationId, ids } = await writeAll(actor, ["1", "2", "3"]);
    const [first, second, third] = ids;
    const beside = await write(actor, "Beside 3", { conversationId, parentId: second ?? "" });
    const reply = await node.turns.send(actor, {
      clientMessageId: node.ports.ids.next(),
      content: "To 2",
      conversationId,
      replyToId: second,
      answer: false,
    });
    await chat.join(conversationId, other.actor, "viewer");
    const { heard: told } = await chat.listen(other.actor);
    await remove(actor, second ?? "");
    expect(await contents(actor, conversationId)).toEqual(["1", "Beside 3", "To 2"]);
    const moved = await node.messages.get(actor, third ?? "");
    expect(moved).toMatchObject({ parentId: first, siblings: { ids: [third, beside.id], index: 0 } });
    expect(await node.messages.get(actor, reply.message.id)).toMatchObject({ replyToId: null });
    expect(await counts(actor, conversationId)).toMatchObject({ messageCount: 4 });
    await node.background.settled();
    expect(told).toEqual([
      { type: "message-deleted", conversationId, messageId: second },
      { type: "conversation-updated", conversation: await node.conversations.get(other.actor, conversationId) },
    ]);
    expect(await audited(actor.userId)).toMatchObject([
      { action: "message.delete", target: `message:${second}`, outcome: "done" },
    ]);
    await expect(remove(actor, second ?? "")).rejects.toMatchObject(missingMessage);
  });

  test("whoever looked at a deleted message looks at what is left of its branch", async () => {
    const { actor } = await node.person();
    const viewer = await node.person();
    const { conversationId, ids } = await writeAll(actor, ["Root", "Left", "Left below"]);
    const [root, left, leftBelow] = ids;
    await chat.join(conversationId, viewer.actor, "viewer");
    const right = await write(actor, "Right", { conversationId, parentId: root ?? "" });
    await node.messages.showBranch(viewer.actor, { conversationId, messageId: left ?? "" });
    await remove(actor, leftBelow ?? "");
    expect(await contents(viewer.actor, conversationId)).toEqual(["Root", "Left"]);
    await remove(actor, right.id);
    expect(await contents(actor, conversationId)).toEqual(["Root", "Left"]);
    await remove(actor, root ?? "");
    expect(await contents(actor, conversationId)).toEqual(["Left"]);
    await remove(actor, left ?? "");
    expect(await contents(actor, conversationId)).toEqual([]);
    expect(await counts(actor, conversationId)).toEqual({ messageCount: 0, unreadCount: 0 });
    await write(actor, "Anew", { conversationId });
    expect(await contents(viewer.actor, conversationId)).toEqual(["Anew"]);
  });

  test("a deleted beginning leaves several beginnings", async () => {
    const { actor } = await node.person();
    const { conversationId, ids } = await writeAll(actor, ["Root", "One"]);
    const two = await write(actor, "Two", { conversationId, parentId: ids[0] ?? "" });
    await remove(actor, ids[0] ?? "");
    const [shown] = await list(actor, conversationId);
    expect(shown).toMatchObject({ content: "Two", parentId: null, siblings: { ids: [ids[1], two.id], index: 1 } });
  });

  test("what was unread is no longer counted, what was read changes nothing", async () => {
    const { actor } = await node.person();
    const reader = await node.person();
    const { conversationId, ids } = await writeAll(actor, ["Read before", "Also read"]);
    await chat.join(conversationId, reader.actor, "editor");
    const unread = await write(actor, "Unread", { conversationId });
    await write(actor, "Unread too", { conversationId });
    expect(await counts(reader.actor, conversationId)).toEqual({ messageCount: 4, unreadCount: 2 });
    await database.database.execute(
      sql`update members set last_read_id = ${ids[1] ?? ""}::uuid where user_id = ${reader.actor.userId}::uuid`,
    );
    await remove(actor, ids[1] ?? "");
    expect(await counts(reader.actor, conversationId)).toEqual({ messageCount: 3, unreadCount: 2 });
    const [member] = await database.database.query.members.findMany({
      where: (row, { eq }) => eq(row.userId, reader.actor.userId),
    });
    expect(member?.lastReadId).toBe(ids[0]);
    await remove(actor, unread.id);
    expect(await counts(reader.actor, conversationId)).toEqual({ messageCount: 2, unreadCount: 1 });
    expect(await counts(actor, conversationId)).toEqual({ messageCount: 2, unreadCount: 0 });
  });

  test("people delete what they wrote themselves, editors also answers, owners everything, viewers nothing", async () => {
    const owner = await node.person();
    const editor = await node.person();
    const viewer = await node.person();
    const stranger = await node.person();
    const { conversationId, question, messageId, runId, stream } = await ask(owner.actor);
    stream.text("An answer").end();
    await followed(owner.actor, runId);
    await chat.join(conversationId, editor.actor, "editor");
    await chat.join(conversationId, viewer.actor, "viewer");
    const own = await write(editor.actor, "One's own", { conversationId });
    const another = await write(editor.actor, "Another", { conversationId });
    for (const id of [question, messageId, own.id]) {
      await expect(remove(viewer.actor, id)).rejects.toMatchObject({ reason: "forbidden" });
      await expect(remove(stranger.actor, id)).rejects.toMatchObject(missingMessage);
    }
    await expect(remove(stranger.actor, missing)).rejects.toMatchObject(missingMessage);
    await expect(remove(editor.actor, question)).rejects.toMatchObject({ reason: "forbidden" });
    await remove(editor.actor, messageId);
    await remove(editor.actor, own.id);
    await remove(owner.actor, another.id);
    expect(await contents(owner.actor, conversationId)).toEqual(["Ask"]);
  });

  test("an answer that is deleted while it is written is charged, and nothing of it comes back", async () => {
    const { actor, user } = await node.person();
    const { conversationId, question, messageId, runId, stream } = await ask(actor);
    stream.text("Half a ");
    await remove(actor, messageId);
    stream.text("sentence").end();
    await expect.poll(() => node.runs.count()).toBe(0);
    await expect
      .poll(() => database.database.query.usageLedger.findMany({ where: (row, { eq }) => eq(row.runId, runId) }))
      .toHaveLength(1);
    expect((await list(actor, conversationId)).map(({ id }) => id)).toEqual([question]);
    await expect(node.follow(actor, { runId })).rejects.toMatchObject({ reason: "not_found" });
    const next = await write(actor, "And on", { conversationId });
    expect(next).toMatchObject({ parentId: question, author: { id: user.id } });
  });

  test("deletions, edits and messages at once leave one tree, and counts that agree with it", async () => {
    const { actor } = await node.person();
    const reader = await node.person();
    const { conversationId, ids } = await writeAll(
      actor,
      Array.from({ length: 12 }, (_, index) => `Message ${index}`),
    );
    await chat.join(conversationId, reader.actor, "viewer");
    const failures = await Promise.all(
      [
        ...ids.slice(2).map((id) => remove(actor, id)),
        ...ids.slice(2).map((id) => remove(actor, id)),
        ...ids.slice(1).map((id) => edit(actor, id, "Edited")),
        ...ids.map(() => write(actor, "More", { conversationId })),
        ...ids.slice(2).map((messageId) => node.messages.showBranch(reader.actor, { conversationId, messageId })),
        ...ids.slice(2).map((messageId) => node.messages.rate(reader.actor, { messageId, rating: "up" })),
      ].map((call) =>
        call.then(
          () => null,
          (error: unknown) => error,
        ),
      ),
    );
    for (const failure of failures) if (failure) expect(failure).toMatchObject({ reason: "not_found" });
    expect(failures.filter((failure) => failure instanceof AppError).length).toBeGreaterThanOrEqual(10);

    const rows = await database.database.query.messages.findMany({
      where: (row, { eq }) => eq(row.conversationId, conversationId),
    });
    const kept = new Set(rows.map(({ id }) => id));
    expect(rows).toHaveLength(2 + 12);
    expect(rows.filter(({ parentId }) => parentId === null).map(({ id }) => id)).toEqual([ids[0]]);
    expect(rows.every(({ parentId }) => parentId === null || kept.has(parentId))).toBe(true);
    expect(await counts(actor, conversationId)).toMatchObject({ messageCount: rows.length });
    expect(await counts(reader.actor, conversationId)).toMatchObject({ unreadCount: 12 });
    for (const who of [actor, reader.actor]) expect((await list(who, conversationId)).length).toBeGreaterThan(0);
  });

  test("a message to what is deleted at the same time has its place, or there is nothing to answer", async () => {
    const { actor } = await node.person();
    const { conversationId } = await write(actor, "Root");
    for (let round = 0; round < 10; round++) {
      const { id } = await write(actor, "Soon gone", { conversationId });
      const sends = [{}, { parentId: id }, { replyToId: id }, { parentId: id }].map((place) =>
        node.turns.send(actor, {
          clientMessageId: node.ports.ids.next(),
          content: "And on",
          answer: false,
          conversationId,
          ...place,
        }),
      );
      const [deleted, ...sent] = await Promise.allSettled([remove(actor, id), ...sends]);
      expect(deleted.status).toBe("fulfilled");
      for (const one of sent) if (one.status === "rejected") expect(one.reason).toMatchObject({ reason: "not_found" });
      expect(sent[0]?.status).toBe("fulfilled");
    }
    const page = await list(actor, conversationId);
    expect(page.every(({ content }) => content !== "Soon gone")).toBe(true);
  });
});
