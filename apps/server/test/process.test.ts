import path from "node:path";
import { databaseKinds, startUpstream } from "@parley/testing";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { processes } from "./process-kit.ts";

const { launch, started, signUp, kill, children, folder } = processes();

test("a first start says where it is, where it keeps things, what it can ask, and how to make the first account", async () => {
  const { lines, url } = await started();
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^Parley +http:\/\/127\.0\.0\.1:\d+$/);
  expect(lines[1]).toMatch(/^Database +embedded Postgres in .*DATABASE_URL/);
  expect(lines[2]).toMatch(/^Models +demo /);
  expect(lines[3]).toMatch(/^Set-up +[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4} /);
  expect((await fetch(`${url}/ready`)).status).toBe(200);
});

test("what was acknowledged is there after kill -9, and so is the session; an answer that was under way is interrupted", async () => {
  const before = await started();
  const token = await signUp(before);
  const sent = await before
    .client(token)
    .chat.send.mutate({ clientMessageId: "1", content: `Remember me ${"word ".repeat(80)}` });
  await kill(before.child, "SIGKILL");

  const after = await started();
  const { items } = await after.client(token).chat.conversations.list.query({});
  expect(items).toMatchObject([{ id: sent.conversationId }, { title: "general", visibility: "public" }]);
  const status = async () => {
    const page = await after.client(token).chat.messages.list.query({ conversationId: sent.conversationId });
    expect(page.items[0]?.content).toContain("Remember me");
    return page.items[1]?.status;
  };
  await expect.poll(status, { timeout: 10_000 }).toBe("interrupted");
});

test("a second process on the same folder is told so, and the first goes on", async () => {
  const first = await started();
  const second = launch();
  expect(await second.exited).toBe(1);
  expect(second.output).toMatch(/is in use by another Parley \(process \d+ on .+\)/);
  expect(second.output.trim().split("\n")).toHaveLength(1);
  expect((await fetch(`${first.url}/ready`)).status).toBe(200);
}, 30_000);

test("a wrong variable and a port that is taken stop the start with one line", async () => {
  const wrong = launch({ PORT: "nonsense" });
  expect(await wrong.exited).toBe(1);
  expect(wrong.output).toBe('PORT is "nonsense", but it takes a whole number from 0 to 65535\n');
  const first = await started();
  const taken = launch({ PORT: new URL(first.url).port, DATA_DIR: path.join(folder(), "other") });
  expect(await taken.exited).toBe(1);
  expect(taken.output.trim().split("\n")).toHaveLength(1);
  expect(taken.output).toContain("EADDRINUSE");
}, 30_000);

describe("SIGTERM", () => {
  const model = "slow-model";

  /** One whose answers come slowly, and a follower on a socket. */
  async function answering(perSecond: number, tokens: number, env: Record<string, string> = {}) {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.stop());
    upstream.models("openai", [model]);
    upstream.otherwise({ steps: [{ stream: { perSecond, tokens } }], usage: { input: 1, output: tokens } });
    const vendor = { OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`, OPENAI_COMPATIBLE_API_KEY: "a-key", TASK_MODEL: "off" };
    const server = await started({ ...vendor, ...env });
    const token = await signUp(server);
    const sent = await server.client(token).chat.send.mutate({ clientMessageId: "1", content: "Finish this" });
    const heard: string[] = [];
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/trpc`, { headers: { authorization: `Bearer ${token}` } });
    onTestFinished(() => socket.terminate());
    socket.on("message", (data) => heard.push(data.toString()));
    socket.on("close", (code) => heard.push(`closed ${code}`));
    socket.on("open", () => {
      const input = { json: { runId: sent.answer?.runId } };
      socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "chat.follow", input } }));
    });
    await expect.poll(() => heard.join()).toContain("text-delta");
    const answer = async (on: typeof server) => {
      const { items } = await on.client(token).chat.messages.list.query({ conversationId: sent.conversationId });
      return items[1];
    };
    return { server, token, heard, vendor, answer };
  }

  const status = async (url: string) => {
    const response = await fetch(url);
    return [response.status, (await response.json()).status, response.headers.get("connection")];
  };

  test("lets an answer finish while load balancers and sockets hear of it, saves it and exits by itself", async () => {
    const { server, token, heard, vendor, answer } = await answering(20, 100);
    expect(await status(`${server.url}/ready`)).toEqual([200, "ok", "keep-alive"]);
    server.child.kill("SIGTERM");
    await expect.poll(() => status(`${server.url}/ready`)).toEqual([503, "down", "close"]);
    expect(await status(`${server.url}/api/v1/ready`)).toEqual([503, "down", "close"]);
    expect(await status(`${server.url}/health`)).toEqual([503, "down", "close"]);
    expect(await status(`${server.url}/live`)).toEqual([200, "ok", "close"]);
    expect(heard).toContain('{"id":null,"method":"reconnect"}');
    expect(heard.join()).not.toContain("run-end");
    const another = server.client(token).chat.send.mutate({ clientMessageId: "2", content: "One more" });
    await expect(another).rejects.toMatchObject({ data: { reason: "unavailable" } });
    expect((await answer(server))?.status).toBe("running");
    expect(await server.exited).toBe(0);
    expect(heard.join()).toContain('"run-end","status":"completed"');
    expect(heard.at(-1)).toBe("closed 1012");
    await expect(fetch(`${server.url}/ready`)).rejects.toThrow();
    expect(await answer(await started(vendor))).toMatchObject({ status: "complete" });
  }, 40_000);

  test("ends what does not finish within the grace as interrupted, with its text", async () => {
    const { server, heard, vendor, answer } = await answering(20, 10_000, { SHUTDOWN_GRACE: "1s" });
    server.child.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(heard.join()).toContain('"run-end","status":"interrupted"');
    const kept = await answer(await started(vendor));
    expect(kept?.status).toBe("interrupted");
    expect(kept?.content.length).toBeGreaterThan(50);
  }, 40_000);
});

describe.skipIf(!databaseKinds.includes("postgres"))("on Postgres", () => {
  const name = `parley_ten_${process.pid}`;
  const serverUrl = process.env.TEST_DATABASE_URL ?? "";
  const administer = async (text: string) => {
    const sql = postgres(serverUrl, { max: 1, onnotice() {} });
    await sql.unsafe(text);
    await sql.end();
  };
  beforeEach(() => administer(`create database ${name}`));
  afterEach(() => administer(`drop database ${name} with (force)`));

  test("ten processes that start at once on an empty database all come up, and it is migrated once", async () => {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    const secret = "for-tests-only-0123456789-0123456789";
    const servers = await Promise.all(Array.from({ length: 10 }, () => started({ DATABASE_URL: url.href, JWT_SECRET: secret })));
    const token = await signUp(servers[0] ?? (await started()));
    for (const server of servers) expect((await server.client(token).auth.me.query()).user.email).toBe("a@example.com");
    const sql = postgres(url.href, { max: 1 });
    const applied = await sql`select hash, count(*)::int as times from drizzle.__drizzle_migrations group by hash`;
    await sql.end();
    expect(applied.length).toBeGreaterThan(2);
    for (const { times } of applied) expect(times).toBe(1);
    await Promise.all(children().map((child) => kill(child, "SIGKILL")));
  }, 60_000);
});
