import { databaseKinds, type TestAccounts, testAccounts, testOrigin } from "@parley/testing";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../auth/actor.ts";
import { conversations } from "../database/schema.ts";

const origin = { address: "192.0.2.7" };

describe.each(databaseKinds)("public rooms on %s", (kind) => {
  let node: TestAccounts;
  beforeAll(async () => {
    node = await testAccounts(kind);
  });
  afterAll(() => node.stop());

  async function everyRoom(actor: Actor, limit: number, search?: string) {
    const titles: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await node.publicRooms.list(actor, { cursor, limit, search });
      titles.push(...page.items.map(({ title }) => title));
      if (page.nextCursor === null) return titles;
      cursor = page.nextCursor;
    }
  }

  test("the first account comes with a general room, however many register at once", async () => {
    const password = "Correct-horse-1";
    const register = (name: number) => node.auth.register({ email: `first-${name}@example.com`, password }, testOrigin);
    await Promise.all(Array.from({ length: 20 }, (_, name) => register(name)));
    const { actor } = await node.person();
    const { items } = await node.publicRooms.list(actor, {});
    expect(items).toMatchObject([{ title: "general", memberCount: 1, isMember: false }]);
    const joined = await node.members.join(actor, items[0]?.id ?? "", origin);
    expect(joined).toMatchObject({ title: "general", visibility: "public", myRole: "editor", members: [{ role: "owner" }, {}] });
    expect((await node.publicRooms.list(actor, {})).items).toMatchObject([{ memberCount: 2, isMember: true }]);
  });

  test("everybody finds what is public, newest activity first, and nothing else", async () => {
    const { actor: host } = await node.person();
    const make = (title: string, description?: string) =>
      node.conversations.create(host, { title, description, visibility: "public", tags: ["sea"] });
    await node.conversations.create(host, { title: "Captain's cabin" });
    const closed = await make("Closed");
    await node.conversations.update(host, { id: closed.id, archived: true }, origin);
    const shut = await make("Shut");
    await node.conversations.update(host, { id: shut.id, visibility: "private" }, origin);
    const rooms = [await make("Harbour", "О кораблях"), await make("Deck"), await make("מפרש"), await make("شراع")];
    // All at once, so that only the id tells them apart.
    for (const { id } of rooms)
      await node.database
        .update(conversations)
        .set({ updatedAt: new Date(0) })
        .where(eq(conversations.id, id));
    const { actor } = await node.person();
    const whole = await everyRoom(actor, 100);
    expect(whole).toEqual(["general", "شراع", "מפרש", "Deck", "Harbour"]);
    expect(await everyRoom(actor, 1)).toEqual(whole);
    expect(await everyRoom(actor, 2)).toEqual(whole);
    expect(await everyRoom(actor, 2, "КОРАБЛЯХ")).toEqual(["Harbour"]);
    expect(await everyRoom(actor, 2, "%")).toEqual([]);
    const { items } = await node.publicRooms.list(host, { search: "deck" });
    expect(items).toMatchObject([{ isMember: true, memberCount: 1, tags: ["sea"] }]);
    expect(items[0]).not.toHaveProperty("members");
  });

  test("a cursor of another list is refused", async () => {
    const { actor } = await node.person();
    for (const title of ["one", "two"]) await node.conversations.create(actor, { title, visibility: "public" });
    const { nextCursor } = await node.publicRooms.list(actor, { limit: 1 });
    const reading = node.conversations.list(actor, { cursor: nextCursor ?? "" });
    await expect(reading).rejects.toMatchObject({ reason: "invalid_input", issues: [{ path: "cursor" }] });
    await expect(node.publicRooms.list(actor, { cursor: "made up" })).rejects.toMatchObject({ reason: "invalid_input" });
  });
});
