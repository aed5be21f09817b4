import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { databaseKinds } from "@parley/testing";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import postgres from "postgres";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Client } from "./kit.ts";

const entry = fileURLToPath(new URL("../dist/node.js", import.meta.url));

let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  expect(existsSync(entry), "`npm test` builds the server first").toBe(true);
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-process-"));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? kill(child, "SIGKILL")));
  await rm(folder, { recursive: true, force: true });
});

function launch(env: Record<string, string> = {}) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [entry], {
    cwd: folder,
    env: { PATH, HOME, PORT: "0", DATA_DIR: path.join(folder, "data"), ...env },
  });
  children.push(child);
  const run = { child, output: "", exited: new Promise<number | null>((resolve) => child.once("exit", resolve)) };
  const collect = (data: Buffer) => {
    run.output += data.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return run;
}

async function started(env: Record<string, string> = {}) {
  const run = launch(env);
  await expect.poll(() => run.output, { timeout: 30_000 }).toContain("Models ");
  const url = /http:\/\/\S+/.exec(run.output)?.[0] ?? "";
  const client = (token?: string): Client =>
    createTRPCClient({
      links: [
        httpBatchLink({ url: `${url}/trpc`, transformer: superjson, headers: token ? { authorization: `Bearer ${token}` } : {} }),
      ],
    });
  return { ...run, url, client, lines: run.output.split("\n").filter(Boolean) };
}

function kill(child: ChildProcess, signal: NodeJS.Signals) {
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  return exited;
}

async function signUp(server: Awaited<ReturnType<typeof started>>) {
  const registered = await server.client().auth.register.mutate({ email: "a@example.com", password: "Correct-horse-1" });
  if ("next" in registered) throw new Error("The account has to be verified first");
  return registered.tokens.accessToken ?? "";
}

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
  expect(items.map(({ id }) => id)).toEqual([sent.conversationId]);
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
  const taken = launch({ PORT: new URL(first.url).port, DATA_DIR: path.join(folder, "other") });
  expect(await taken.exited).toBe(1);
  expect(taken.output.trim().split("\n")).toHaveLength(1);
  expect(taken.output).toContain("EADDRINUSE");
}, 30_000);

test("SIGTERM lets an answer finish, saves it and exits by itself", async () => {
  const server = await started();
  const token = await signUp(server);
  const sent = await server.client(token).chat.send.mutate({ clientMessageId: "1", content: "Finish this" });
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  const after = await started();
  const { items } = await after.client(token).chat.messages.list.query({ conversationId: sent.conversationId });
  expect(items[1]).toMatchObject({ status: "complete" });
}, 40_000);

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
    await Promise.all(children.map((child) => kill(child, "SIGKILL")));
  }, 60_000);
});
