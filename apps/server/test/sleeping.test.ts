import { databaseKinds, openTestDatabase, startUpstream, type TestDatabase, type Upstream } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { type LocalWorker, startLocalWorker } from "../scripts/edge/local-worker.ts";
import { clientOf, usual } from "./kit.ts";

const password = "Correct-horse-1";
const model = "local-model";
const metricsToken = "metrics-token-of-this-test";
/** It falls asleep ten seconds after it has become quiet, what it had asked for is answered within ten more. */
const patience = { timeout: 40_000, interval: 100 };
/** The runtime tells nobody when it has put an object out of memory: ten seconds after its last work. */
const putOut = () => new Promise((resolve) => setTimeout(resolve, 24_000));

describe.skipIf(!databaseKinds.includes("postgres"))("sockets of the worker", () => {
  let database: TestDatabase;
  let upstream: Upstream;
  let worker: LocalWorker;
  const lines: { msg: string; socket?: string; life?: string; userId?: string }[] = [];

  beforeAll(async () => {
    database = await openTestDatabase("postgres");
    upstream = await startUpstream();
    upstream.models("openai", [model]);
    worker = await startLocalWorker({
      databaseUrl: database.url ?? "",
      // Long over when a socket wakes up.
      variables: {
        ...usual,
        LOG_LEVEL: "debug",
        ACCESS_TOKEN_TTL: "20s",
        OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
        METRICS_TOKEN: metricsToken,
      },
      onLine: (line) => line.startsWith("{") && lines.push(JSON.parse(line)),
    });
    await person("admin");
  });
  afterAll(async () => {
    await worker?.stop();
    await upstream?.stop();
    await database?.close();
  });

  async function person(name: string) {
    const email = `${name}@example.com`;
    const registered = await clientOf(worker.url, null).auth.register.mutate({ email, password });
    if ("next" in registered) throw new Error("The account has to be verified first");
    const token = registered.tokens.accessToken ?? "";
    const { key } = await clientOf(worker.url, token).apiKey.create.mutate({ name: "Key" });
    // A key does not expire.
    return { email, token, id: registered.user.id, sessionId: registered.session.id, api: clientOf(worker.url, key) };
  }
  type Person = Awaited<ReturnType<typeof person>>;

  const signIn = async (email: string) =>
    clientOf(
      worker.url,
      (await clientOf(worker.url, null).auth.login.mutate({ identifier: email, password })).tokens.accessToken ?? "",
    );

  async function connect({ token, id: userId }: Person, headers: Record<string, string> = {}) {
    const socket = new WebSocket(`${worker.url.replace("http", "ws")}/trpc`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    const frames: { id: number; result?: { type: string; id?: string; data?: { json: { data?: Record<string, unknown> } } } }[] =
      [];
    const client = {
      socket,
      frames,
      answersPings: true,
      characters: 0,
      unanswered: 0,
      ending: null as { code: number; reason: string } | null,
      say: (message: object) => socket.send(JSON.stringify(message)),
      follow: (id: number, path = "chat.live", input: object = {}) =>
        client.say({ id, method: "subscription", params: { path, input: { json: input } } }),
      query: (id: number, path: string) => client.say({ id, method: "query", params: { path } }),
      answersTo: (id: number) => frames.filter((frame) => frame.id === id),
      /** What the events of a subscription were about. */
      titles: (id = 1) =>
        client.answersTo(id).flatMap(({ result }) => {
          const event = result?.data?.json.data;
          return event?.type === "conversation-created" ? [(event.conversation as { title: string }).title] : [];
        }),
      sleeps: () => lines.filter((line) => line.msg === "a socket sleeps" && line.userId === userId),
      /** So often its object was made. */
      lives: () => {
        const name = client.sleeps()[0]?.socket;
        return new Set(lines.filter((line) => line.socket === name).map((line) => line.life)).size;
      },
    };
    socket.on("message", (data) => {
      const text = String(data);
      client.characters += text.length;
      if (text === "PONG") return;
      if (text !== "PING") frames.push(JSON.parse(text));
      else if (client.answersPings) socket.send("PONG");
      else client.unanswered++;
    });
    socket.on("close", (code, reason) => {
      client.ending = { code, reason: String(reason) };
    });
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    return client;
  }

  const asleep = async (client: Awaited<ReturnType<typeof connect>>, times = 1) => {
    await vi.waitFor(() => expect(client.sleeps()).toHaveLength(times), patience);
    await putOut();
  };

  describe.concurrent("that are quiet", () => {
    test("sleep, and hear each event once and in order, however often their objects were put out", async ({ expect }) => {
      const ada = await person("ada");
      const client = await connect(ada);
      client.follow(1);
      await expect.poll(() => client.answersTo(1)).toHaveLength(1);
      const told: string[] = [];
      const tell = async (title: string) => {
        await ada.api.chat.conversations.create.mutate({ title });
        told.push(title);
      };
      for (const round of [1, 2, 3]) {
        await tell(`${round} awake`);
        await asleep(client, round);
        expect(client.lives()).toBe(round);
        await Promise.all([tell(`${round} first`), tell(`${round} second`)]);
        await tell(`${round} third`);
        await expect.poll(() => client.titles().toSorted()).toEqual(told.toSorted());
      }
      const ids = client.answersTo(1).flatMap(({ result }) => (result?.id ? [Number(result.id)] : []));
      expect(ids).toEqual(Array.from(ids, (_, index) => (ids[0] ?? 0) + index));
      expect(client.answersTo(1).filter(({ result }) => result?.type === "started")).toHaveLength(1);
      client.socket.terminate();
    }, 240_000);

    test("answer calls as if nothing had happened, and subscriptions go on by their ids", async ({ expect }) => {
      const ben = await person("ben");
      const client = await connect(ben);
      client.follow(1);
      client.follow(2);
      await asleep(client);
      client.query(3, "auth.me");
      client.say({ id: 1, method: "subscription.stop" });
      client.follow(4);
      await expect
        .poll(() => client.answersTo(3), patience)
        .toMatchObject([{ result: { data: { json: { user: { id: ben.id } } } } }]);
      await expect.poll(() => client.answersTo(1).at(-1)?.result?.type).toBe("stopped");
      await expect.poll(() => client.answersTo(4)).toHaveLength(1);
      await ben.api.chat.conversations.create.mutate({ title: "Plans" });
      await expect.poll(() => [client.titles(1), client.titles(2), client.titles(4)]).toEqual([[], ["Plans"], ["Plans"]]);
      expect(client.lives()).toBe(2);
      // What the protocol itself asks is answered for them.
      await asleep(client, 2);
      const heard = client.characters;
      client.socket.send("PING");
      await expect.poll(() => client.characters).toBe(heard + 4);
      expect(client.lives()).toBe(2);
      client.socket.terminate();
    }, 120_000);

    test("are closed with their session, and when rights change", async ({ expect }) => {
      const [cleo, dan] = [await person("cleo"), await person("dan")];
      const [ended, demoted] = await Promise.all([connect(cleo), connect(dan)]);
      ended.follow(1);
      demoted.query(1, "auth.me");
      await Promise.all([asleep(ended), asleep(demoted)]);
      await (await signIn(cleo.email)).session.end.mutate({ id: cleo.sessionId });
      await (await signIn("admin@example.com")).admin.users.setRole.mutate({ id: dan.id, role: "admin" });
      const within = { timeout: 5_000 };
      await expect.poll(() => ended.ending, within).toEqual({ code: 4401, reason: "session_ended" });
      await expect.poll(() => demoted.ending, within).toEqual({ code: 4403, reason: "rights_changed" });
    }, 120_000);

    test("are closed when the key that they came with expires", async ({ expect }) => {
      const kim = await person("kim");
      const { key } = await clientOf(worker.url, kim.token).apiKey.create.mutate({
        name: "Short",
        expiresAt: new Date(Date.now() + 25_000),
      });
      const client = await connect({ ...kim, token: key });
      client.follow(1);
      await asleep(client);
      await expect.poll(() => client.ending, { timeout: 70_000 }).toEqual({ code: 4401, reason: "session_ended" });
    }, 120_000);

    test("are in their rooms, hear what passes, and are gone when their clients are", async ({ expect }) => {
      const [eve, fay] = [await person("eve"), await person("fay")];
      const { id: conversationId } = await eve.api.chat.conversations.create.mutate({ title: "Room" });
      await eve.api.chat.conversations.addMember.mutate({ id: conversationId, identifier: fay.email, role: "editor" });
      const client = await connect(eve);
      client.follow(1);
      client.say({ id: 2, method: "mutation", params: { path: "chat.enter", input: { json: { conversationId } } } });
      await asleep(client);
      const until = async () => {
        const rows = await database.database.execute(
          sql`select until::text from presences where session_id = ${eve.sessionId}::uuid`,
        );
        return Array.from(rows as Iterable<{ until: string }>, (row) => row.until);
      };
      const before = await until();
      expect(before).toHaveLength(1);
      await expect.poll(until, patience).not.toEqual(before);
      expect(client.lives()).toBe(1);
      await fay.api.chat.typing.mutate({ conversationId, typing: true });
      const isTyping = ({ result }: (typeof client.frames)[number]) => result?.data?.json.data?.type === "typing";
      await expect.poll(() => client.frames.filter(isTyping)).toHaveLength(1);
      await asleep(client, 2);
      client.socket.close();
      await expect.poll(until, { timeout: 15_000 }).toEqual([]);
      const lives = client.lives();
      await eve.api.chat.conversations.create.mutate({ title: "Nobody listens" });
      await expect.poll(async () => (await eve.api.chat.conversations.list.query({})).items.length).toBe(2);
      expect(client.lives()).toBe(lives);
    }, 180_000);

    test("keep nobody from counting", async ({ expect }) => {
      const lea = await person("lea");
      const client = await connect(lea);
      client.follow(1);
      await asleep(client);
      const counted = async () => {
        const response = await fetch(`${worker.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
        return /^parley_call_duration_seconds_count\{procedure="model.list"\} (\d+)$/m.exec(await response.text())?.[1];
      };
      await Promise.all(Array.from({ length: 7 }, () => lea.api.model.list.query()));
      await expect.poll(counted, { timeout: 15_000 }).toBe("7");
    }, 120_000);

    test("stay awake with more than an attachment can hold", async ({ expect }) => {
      const gus = await person("gus");
      const client = await connect(gus, { "user-agent": "x".repeat(12_000) });
      const ids = Array.from({ length: 50 }, (_, index) => `${index} ${"ä".repeat(90)}`);
      for (const id of ids) client.say({ id, method: "subscription", params: { path: "chat.live", input: { json: {} } } });
      const isTooLarge = ({ msg }: (typeof lines)[number]) => msg.startsWith("a socket has too much to keep");
      await expect.poll(() => lines.filter(isTooLarge).length, patience).toBeGreaterThan(0);
      await gus.api.chat.conversations.create.mutate({ title: "Plans" });
      await expect.poll(() => client.frames.filter(({ result }) => result?.type === "data")).toHaveLength(ids.length);
      expect(client.sleeps()).toEqual([]);
      client.socket.terminate();
    }, 60_000);
  });

  test("hand a reader who does not read no more than it can have on its way, and the rest when it reads", async () => {
    const hal = await person("hal");
    const client = await connect(hal);
    client.answersPings = false;
    const tokens = 4_000;
    const characters = 500;
    upstream.script({ steps: [{ stream: { perSecond: 4_000, tokens, characters } }], usage: { input: 1, output: tokens } });
    const { answer } = await hal.api.chat.send.mutate({ clientMessageId: "1", content: "Hello", model });
    const runId = answer?.runId ?? "";
    client.follow(1, "chat.follow", { runId });
    await expect.poll(async () => (await hal.api.chat.run.query({ runId })).status, { timeout: 60_000 }).toBe("completed");
    expect(client.characters).toBeGreaterThan(100_000);
    expect(client.characters).toBeLessThan(600_000);
    client.answersPings = true;
    for (; client.unanswered > 0; client.unanswered--) client.socket.send("PONG");
    const events = () => client.answersTo(1).map(({ result }) => result?.data?.json.data ?? { type: result?.type });
    await expect.poll(() => events().at(-1)?.type, { timeout: 20_000 }).toBe("stopped");
    const text = events()
      .map((event) => (event.type === "text-delta" ? String(event.text) : ""))
      .join("");
    expect(text).toHaveLength(tokens * characters);
    expect(events().length).toBeLessThan(tokens);
    client.socket.terminate();
  }, 120_000);
});
