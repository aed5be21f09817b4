import type { RunEvent } from "@parley/contract/events";
import { assemble, databaseKinds, openTestDatabase, scriptedProvider, type TestDatabase, testServices } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schema } from "../database/index.ts";
import type { FeedEntry } from "../feed.ts";

describe.each(databaseKinds)("an answer that starts over, on %s", (kind) => {
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

  const request = { content: "Hello", model: "scripted", fallbacks: ["scripted-2"], failover: true };
  let sent = 0;
  type Node = typeof node;
  type Actor = Parameters<Node["turns"]["send"]>[0];
  async function begin(on: Node, actor: Actor) {
    const accepted = await on.turns.send(actor, { ...request, clientMessageId: `f-${++sent}` });
    const runId = accepted.answer?.runId ?? "";
    (await scripted.next()).reasoning("Hm.").text("The first words, 🙂 void").cut();
    return { runId, conversationId: accepted.conversationId, second: await scripted.next() };
  }
  async function collect(on: Node, actor: Actor, { runId, lastEventId }: { runId: string; lastEventId?: string }) {
    const entries: FeedEntry<RunEvent>[] = [];
    for await (const entry of await on.follow(actor, { runId, lastEventId })) entries.push(entry);
    return entries;
  }
  test("every follower ends with the stored text, resumed anywhere, from the log or without it", async () => {
    const { actor } = await node.person();
    const { runId, conversationId, second } = await begin(node, actor);
    second.text("Begun ").text("again").end();
    const entries = await collect(node, actor, { runId });
    expect(entries.map(({ event }) => event.type)).toContain("failover");
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const stored = (await node.messages.list(actor, { conversationId })).items.at(-1);
    expect(stored).toMatchObject({
      content: "Begun again",
      model: "scripted-2",
      provider: "scripted",
      parts: [{ type: "text", text: "Begun again" }],
    });
    for (let seen = 0; seen < entries.length; seen++) {
      const held = assemble(entries.slice(0, seen));
      const lastEventId = entries[seen - 1]?.id;
      expect(assemble(await collect(node, actor, { runId, lastEventId }), held)).toBe("Begun again");
      expect(assemble(await collect(elsewhere, actor, { runId, lastEventId }), held)).toBe("Begun again");
    }
    await elsewhere.stop();
  });

  test("a reader on another node learns of it from what is saved", async () => {
    const { actor } = await node.person();
    const accepted = await node.turns.send(actor, { ...request, clientMessageId: `f-${++sent}` });
    const runId = accepted.answer?.runId ?? "";
    const first = await scripted.next();
    first.text("The first words");
    const saved = () => database.database.select().from(schema.runs).where(eq(schema.runs.id, runId));
    await expect.poll(async () => (await saved())[0]?.text).toBe("The first words");
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const entries: FeedEntry<RunEvent>[] = [];
    for await (const entry of await elsewhere.follow(actor, { runId })) {
      entries.push(entry);
      if (entry.event.type === "text-delta" && entry.event.text === "The first words") {
        first.cut();
        (await scripted.next()).text("Begun again").end();
      }
    }
    expect(entries.map(({ event }) => event.type)).toEqual(["run-start", "text-delta", "failover", "text-delta", "run-end"]);
    expect(assemble(entries)).toBe("Begun again");
    await elsewhere.stop();
  });

  test("a follower who changes node before the failover is saved gets the whole and the end", async () => {
    const { actor } = await node.person();
    const { runId, second } = await begin(node, actor);
    second.text("Begun");
    const held: FeedEntry<RunEvent>[] = [];
    for await (const entry of await node.follow(actor, { runId })) {
      held.push(entry);
      if (entry.event.type === "text-delta" && entry.event.text === "Begun") break;
    }
    const elsewhere = testServices(database, { providers: [scripted.provider] });
    const reading = collect(elsewhere, actor, { runId, lastEventId: held.at(-1)?.id });
    second.text(" again").end();
    const rest = await reading;
    expect(rest.at(-1)?.event).toMatchObject({ type: "run-end", status: "completed" });
    expect(assemble(rest, assemble(held))).toBe("Begun again");
    await elsewhere.stop();
  });

  test("a crash that takes the failover back leaves its followers with the stored text", async () => {
    const dying = testServices(database, { providers: [scripted.provider] });
    const { actor } = await dying.person();
    const accepted = await dying.turns.send(actor, { ...request, clientMessageId: `f-${++sent}` });
    const runId = accepted.answer?.runId ?? "";
    const first = await scripted.next();
    first.text("The first words");
    const saved = () => database.database.select().from(schema.runs).where(eq(schema.runs.id, runId));
    await expect.poll(async () => (await saved())[0]?.text).toBe("The first words");
    dying.background.stop();
    first.cut();
    const second = await scripted.next();
    second.text("Begun");
    const held: FeedEntry<RunEvent>[] = [];
    for await (const entry of await dying.follow(actor, { runId })) {
      held.push(entry);
      if (entry.event.type === "text-delta" && entry.event.text === "Begun") break;
    }
    expect(assemble(held)).toBe("Begun");
    await database.database
      .update(schema.runs)
      .set({ leaseUntil: new Date(0) })
      .where(eq(schema.runs.id, runId));
    const heir = testServices(database, { providers: [scripted.provider] });
    const rest = await collect(heir, actor, { runId, lastEventId: held.at(-1)?.id });
    expect(rest.at(-1)?.event).toMatchObject({ type: "run-end", status: "interrupted" });
    expect(assemble(rest, assemble(held))).toBe("The first words");
    second.end();
    await dying.stop();
    await heir.stop();
  });
});
