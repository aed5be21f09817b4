import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createParley, type FollowedEvent } from "@parley/client";
import { databaseKinds, openTestDatabase, startUpstream, type TestDatabase, type Upstream } from "@parley/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HeldState, hold, nothingHeld } from "./soak/held.ts";
import { type ProcessNode, serverEntry, startProcess } from "./soak/process-node.ts";
import { hasRedisServer, type RedisServer, startRedisServer } from "./soak/redis-server.ts";

const words = Array.from({ length: 200 }, (_, index) => `word ${index} 🙂 `);

describe.skipIf(!databaseKinds.includes("postgres")).each([
  { name: "without Redis", withRedis: false },
  { name: "with Redis", withRedis: true },
])("two processes on one Postgres, $name", ({ withRedis }) => {
  let database: TestDatabase;
  let redis: RedisServer | null;
  let upstream: Upstream;
  let folder: string;
  let [writer, reader]: ProcessNode[] = [];

  beforeEach(async (context) => {
    expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true);
    if (withRedis && !hasRedisServer) context.skip("there is no redis-server here");
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-two-"));
    database = await openTestDatabase("postgres");
    redis = withRedis ? await startRedisServer() : null;
    upstream = await startUpstream();
    const env = {
      DATABASE_URL: database.url ?? "",
      OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
      OPENAI_COMPATIBLE_API_KEY: "a-key",
      ...(redis && { REDIS_URL: redis.url }),
    };
    [writer, reader] = await Promise.all([startProcess(folder, env), startProcess(folder, env)]);
  });
  afterEach(async () => {
    await Promise.all([writer, reader].map((process) => process?.end("SIGKILL")));
    await upstream?.stop();
    await redis?.stop();
    await database?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("one reads what the other writes; when that one is killed the reader has what is saved, and asks again", async () => {
    const complaints: string[] = [];
    let held: HeldState = nothingHeld;
    const take = ({ id, ...event }: FollowedEvent) => {
      held = hold(held, id, event, (what) => complaints.push(what));
    };
    const account = { email: "a@example.com", password: "Correct-horse-1" };
    const guest = createParley({ url: writer?.url ?? "", transport: "sse" });
    const registered = await guest.api.auth.register.mutate(account);
    const token = "tokens" in registered ? registered.tokens.accessToken : null;
    const [there, here] = [writer, reader].map((process) =>
      createParley({ url: process?.url ?? "", token: () => token ?? null, transport: "sse" }),
    );
    if (!there || !here) throw new Error("Two processes were started");

    upstream.script({ steps: words.flatMap((text) => [{ text }, { waitMs: 40 }]) });
    const sent = await there.api.chat.send.mutate({ clientMessageId: "1", content: "Tell me" });
    const runId = sent.answer?.runId ?? "";
    for await (const event of here.chat.follow(runId)) {
      take(event);
      if (event.type !== "text-delta" || held.text.length < 400) continue;
      if (writer?.isAlive) await writer.end("SIGKILL");
    }
    expect(complaints).toEqual([]);
    expect(held.end).toMatchObject({ status: "interrupted", length: held.text.length });
    expect(held.text.length).toBeGreaterThan(100);
    expect(words.join("").startsWith(held.text)).toBe(true);
    const stored = async (messageId: string | undefined) => {
      const { items } = await here.api.chat.messages.list.query({ conversationId: sent.conversationId });
      return items.find(({ id }) => id === messageId);
    };
    expect(await stored(sent.answer?.messageId)).toMatchObject({ content: held.text, status: "interrupted" });

    upstream.script({ steps: [{ text: "All of it, this time." }], usage: { input: 5, output: 6 } });
    const again = await here.api.chat.regenerate.mutate({ messageId: sent.answer?.messageId ?? "" });
    held = nothingHeld;
    for await (const event of here.chat.follow(again.answer?.runId ?? "")) take(event);
    expect(complaints).toEqual([]);
    expect(held).toMatchObject({ text: "All of it, this time.", end: { status: "completed" } });
    expect(await stored(again.answer?.messageId)).toMatchObject({ content: held.text, status: "complete" });
    await Promise.all([there.close(), here.close()]);
  }, 90_000);
});
