import type { ListConversations } from "@parley/contract";
import { databaseKinds, type TestAccounts, testAccounts } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { conversations, members } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };
const missing = "01a1fd8a-0000-7000-8000-000000000000";

describe.each(databaseKinds)("a list of conversations on %s", (kind) => {
  let node: TestAccounts;
  beforeAll(async () => {
    node = await testAccounts(kind);
  });
  afterAll(() => node.stop());

  const refused = (call: Promise<unknown>, reason: string) => expect(call).rejects.toMatchObject({ reason });

  async function pagesOf(actor: Actor, input: ListConversations, between = async () => {}) {
    const titles: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await node.conversations.list(actor, { ...input, cursor });
      titles.push(...page.items.map(({ title }) => title));
      if (page.nextCursor === null) return titles;
      cursor = page.nextCursor;
      await between();
    }
  }

  describe("in every order", () => {
    let reader: Actor;
    const ages = ["Beta", "alpha", "Gamma", "alpha", "дельта", "אלף", "ألف"];
    beforeAll(async () => {
      const { actor, id: userId } = await node.person();
      reader = actor;
      for (const [index, title] of ages.entries()) {
        const id = node.ids.next();
        const createdAt = new Date(Date.UTC(2026, 0, 1 + Math.floor(index / 2)));
        await node.database.insert(conversations).values({ id, title, createdAt });
        // Several at once, so that only the id tells them apart.
        const activeAt = new Date(Date.UTC(2026, 1, 10 - Math.floor(index / 3)));
        await node.database.insert(members).values({ conversationId: id, userId, role: "owner", activeAt });
      }
    });

    const sorts = (["activity", "created", "title"] as const).flatMap((sortBy) =>
      (["asc", "desc"] as const).map((sortOrder) => ({ sortBy, sortOrder })),
    );
    test.each(sorts)(
      "by $sortBy, $sortOrder, pages have every one once, and both directions are each other's mirror",
      async (sort) => {
        const whole = await pagesOf(reader, { ...sort, limit: 100 });
        expect([...whole].sort()).toEqual([...ages].sort());
        expect(await pagesOf(reader, { ...sort, limit: 1 })).toEqual(whole);
        expect(await pagesOf(reader, { ...sort, limit: 3 })).toEqual(whole);
        const opposite = sort.sortOrder === "asc" ? "desc" : "asc";
        expect((await pagesOf(reader, { ...sort, sortOrder: opposite })).reverse()).toEqual(whole);
      },
    );

    test("without a word it begins with the newest, and by title with the first letter", async () => {
      expect(await pagesOf(reader, {})).toEqual(await pagesOf(reader, { sortBy: "activity", sortOrder: "desc" }));
      expect(await pagesOf(reader, { sortBy: "created" })).toEqual([...ages].reverse());
      expect((await pagesOf(reader, { sortBy: "title" })).slice(0, 4)).toEqual(["alpha", "alpha", "Beta", "Gamma"]);
    });

    test("a cursor of another list is refused, and so is one that is made up", async () => {
      const { nextCursor } = await node.conversations.list(reader, { limit: 1 });
      const cursor = nextCursor ?? "";
      await node.conversations.list(reader, { cursor });
      const madeUp = ["nonsense", "", "…", btoa("[]"), btoa("null"), btoa('["activity-desc","x","y"]')];
      madeUp.push(btoa(`["activity-desc","99999999999999","${missing}"]`), btoa(`["title-asc","\\u0000","${missing}"]`));
      for (const sort of [{ sortBy: "created" }, { sortBy: "title" }, { sortOrder: "asc" }] as const) {
        await refused(node.conversations.list(reader, { ...sort, cursor }), "invalid_input");
        for (const wrong of madeUp) await refused(node.conversations.list(reader, { ...sort, cursor: wrong }), "invalid_input");
      }
      for (const wrong of madeUp) await refused(node.conversations.list(reader, { cursor: wrong }), "invalid_input");
      await refused(node.publicRooms.list(reader, { cursor }), "invalid_input");
    });
  });

  test("a page goes on from its place whatever is made, moved and renamed in between", async () => {
    const { actor, id: userId } = await node.person();
    const made: string[] = [];
    for (const title of ["a", "b", "c", "d", "e", "f"]) made.push((await node.conversations.create(actor, { title })).id);
    let step = 0;
    const meddle = async () => {
      await node.conversations.create(actor, { title: "0" });
      // One that was read moves up; the last one read is renamed to the front.
      await node.database
        .update(members)
        .set({ activeAt: new Date() })
        .where(eq(members.conversationId, made[0] ?? ""));
      const id = made[step++] ?? "";
      await node.conversations.update(actor, { id, title: `0${step}` }, origin);
    };
    expect(await pagesOf(actor, { sortBy: "title", limit: 1 }, meddle)).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(await node.database.select().from(members).where(eq(members.userId, userId))).toHaveLength(11);
  });

  test("a long title, in any script, still makes a cursor that is taken back", async () => {
    const { actor } = await node.person();
    for (const title of ["𝔸".repeat(100), `\u0001${'"'.repeat(198)}x`, "ﷺ".repeat(200)])
      for (const copy of [1, 2]) await node.conversations.create(actor, { title, tags: [String(copy)] });
    let cursor: string | undefined;
    let seen = 0;
    do {
      const page = await node.conversations.list(actor, { sortBy: "title", limit: 1, cursor });
      expect(page.nextCursor?.length ?? 0).toBeLessThanOrEqual(1_000);
      seen += page.items.length;
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toBe(6);
  });

  test("words of title and description are found in four scripts, and signs of patterns are signs", async () => {
    const { actor } = await node.person();
    const make = (title: string, description: string | null = null) => node.conversations.create(actor, { title, description });
    await make("The Odyssey", "A voyage home");
    await make("Война и мир", "О Наполеоне");
    await make("ألف ليلة وليلة");
    await make("ספר השירים", "שירה עברית");
    await make("100%_done\\", "it's");
    const found = async (search: string) => (await pagesOf(actor, { search })).sort();
    expect(await found("odyssey")).toEqual(["The Odyssey"]);
    expect(await found("home the")).toEqual(["The Odyssey"]);
    expect(await found("МИР наполеон")).toEqual(["Война и мир"]);
    expect(await found("ليلة")).toEqual(["ألف ليلة وليلة"]);
    expect(await found("שירה")).toEqual(["ספר השירים"]);
    for (const sign of ["%", "_", "\\", "'", "100%_done\\"]) expect(await found(sign)).toEqual(["100%_done\\"]);
    expect(await found("odyssey мир")).toEqual([]);
  });

  test("the archived, the pinned and the tagged are asked for by name, and the total counts what is asked for", async () => {
    const { actor } = await node.person();
    const { actor: stranger } = await node.person();
    await node.conversations.create(stranger, { title: "Somebody else's", tags: ["sea"] });
    for (const title of ["one", "two", "three"]) await node.conversations.create(actor, { title, tags: ["sea"] });
    const old = await node.conversations.create(actor, { title: "old", tags: ["sea"] });
    await node.conversations.update(actor, { id: old.id, archived: true }, origin);
    const dry = await node.conversations.create(actor, { title: "dry" });
    await node.conversations.pin(actor, { id: dry.id, pinned: true });
    const list = async (input: ListConversations) => {
      const { items, total } = await node.conversations.list(actor, { ...input, withTotal: true });
      return { titles: items.map(({ title }) => title), total };
    };
    expect(await list({})).toEqual({ titles: ["dry", "three", "two", "one"], total: 4 });
    expect(await list({ tag: "sea", limit: 2 })).toEqual({ titles: ["three", "two"], total: 3 });
    expect(await list({ archived: true })).toEqual({ titles: ["old"], total: 1 });
    expect(await list({ pinned: true })).toEqual({ titles: ["dry"], total: 1 });
    expect(await list({ pinned: false, search: "o" })).toEqual({ titles: ["two", "one"], total: 2 });
    expect(await node.conversations.list(actor, {})).not.toHaveProperty("total", expect.anything());
  });
});
