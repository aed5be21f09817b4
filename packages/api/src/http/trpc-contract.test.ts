import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError } from "@trpc/client";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import superjson from "superjson";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestApp, createTestContext, createTestLog, type TestRouter, testRouter } from "./test-app.ts";

type Fetch = (request: Request) => Response | Promise<Response>;

const { log } = createTestLog();
const caller = (request: Request) => ({
  origin: { address: "192.0.2.1", isLocal: false, userAgent: request.headers.get("user-agent") },
  token: request.headers.get("authorization")?.slice("Bearer ".length) ?? null,
});
const theirs: Fetch = (req) =>
  fetchRequestHandler({
    endpoint: "/trpc",
    req,
    router: testRouter,
    maxBatchSize: 20,
    createContext: () => createTestContext(log, caller(req), "request"),
  });
const { app } = createTestApp({ requestId: () => "request" });
const ours: Fetch = (request) => app.fetch(request, { peer: "192.0.2.1" });

const servers: { name: string; fetch: Fetch; server?: ServerType; url: string }[] = [
  { name: "tRPC's resolver", fetch: theirs, url: "" },
  { name: "our route", fetch: ours, url: "" },
];

beforeAll(async () => {
  for (const entry of servers) {
    await new Promise<void>((resolve) => {
      entry.server = serve({ fetch: entry.fetch, port: 0, hostname: "127.0.0.1" }, (info: AddressInfo) => {
        entry.url = `http://127.0.0.1:${info.port}/trpc`;
        resolve();
      });
    });
  }
});

afterAll(async () => {
  for (const { server } of servers) await new Promise((resolve) => server?.close(resolve));
});

const links = { httpLink, httpBatchLink, httpBatchStreamLink };

describe.each(servers)("the official client with $name", (entry) => {
  const client = (name: keyof typeof links, headers: Record<string, string> = {}) =>
    createTRPCClient<TestRouter>({ links: [links[name]({ url: entry.url, transformer: superjson, headers })] });

  describe.each(["httpLink", "httpBatchLink", "httpBatchStreamLink"] as const)("through %s", (name) => {
    test("calls a query with a date and gets it back", async () => {
      const at = new Date("2026-11-21T09:00:00Z");
      expect(await client(name).chat.echo.query({ text: "ä ü 漢", at })).toEqual({ text: "ä ü 漢", at });
    });

    test("calls a mutation with and without input", async () => {
      expect(await client(name).chat.send.mutate({ text: "one" })).toEqual({ sent: "one" });
      expect(await client(name).chat.clear.mutate()).toEqual({ cleared: true });
    });

    test("calls several things at once", async () => {
      const trpc = client(name, { authorization: "Bearer good" });
      const [hello, nothing, me] = await Promise.all([trpc.hello.query(), trpc.nothing.query(), trpc.me.query()]);
      expect({ hello, nothing, me }).toEqual({ hello: "hello", nothing: undefined, me: { userId: "ada" } });
    });

    test("gets each error of a batch by itself", async () => {
      const trpc = client(name);
      const results = await Promise.allSettled([trpc.hello.query(), trpc.me.query(), trpc.crash.query()]);
      expect(results[0]).toMatchObject({ status: "fulfilled", value: "hello" });
      expect(results[1]).toMatchObject({ reason: { data: { reason: "unauthenticated", httpStatus: 401 } } });
      expect(results[2]).toMatchObject({ reason: { message: "Something went wrong on our side" } });
    });

    test("gets a validation error with its issues", async () => {
      const call = client(name).chat.echo.query({ text: 1 } as never);
      await expect(call).rejects.toBeInstanceOf(TRPCClientError);
      await expect(call).rejects.toMatchObject({ data: { reason: "invalid_input", issues: [{ path: "text" }] } });
    });
  });
});

interface Case {
  name: string;
  path: string;
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

const json = { "content-type": "application/json" };
const input = (value: unknown) => `input=${encodeURIComponent(JSON.stringify(value))}`;
const echo = (text: unknown) => ({ json: { text } });
const post = (name: string, path: string, body?: string): Case => ({ name, path, method: "POST", headers: json, body });

const cases: Case[] = [
  { name: "a query", path: `chat.echo?${input(echo("hi"))}` },
  { name: "a query with plus signs and escapes", path: "chat.echo?input=%7B%22json%22:%7B%22text%22:%22a+b%26c%22%7D%7D" },
  { name: "a query with other parameters", path: `chat.echo?x=1&${input(echo("hi"))}&batch=0` },
  { name: "a query without input", path: "hello" },
  { name: "a query that returns nothing", path: "nothing" },
  { name: "a query without the input that it needs", path: "chat.echo" },
  { name: "an empty input", path: "chat.echo?input=" },
  { name: "an input of null", path: "chat.echo?input=null" },
  { name: "an input that is not superjson", path: "chat.echo?input=1" },
  {
    name: "an input with a type that nobody takes",
    path: `chat.echo?${input({ json: { text: "1" }, meta: { values: { text: ["bigint"] } } })}`,
  },
  {
    name: "an input that pollutes a prototype",
    path: `chat.echo?${input({ json: {}, meta: { values: { "__proto__.x": ["Date"] } } })}`,
  },
  { name: "an input of the wrong type", path: `chat.echo?${input(echo(5))}` },
  { name: "broken JSON", path: "chat.echo?input=%7B" },
  { name: "broken JSON for a query without input", path: "hello?input=%7B" },
  { name: "a broken escape in the path", path: "chat.%zz" },
  { name: "an escaped path", path: "chat%2Eecho?input=%7B%22json%22%3A%7B%22text%22%3A%22a%22%7D%7D" },
  { name: "an error of the guard", path: "me" },
  { name: "a bad token", path: "me", headers: { authorization: "Bearer stale" } },
  { name: "a good token", path: "me", headers: { authorization: "Bearer good" } },
  { name: "an unforeseen error", path: "crash" },
  { name: "a TypeError of the code", path: "mistake" },
  { name: "an error with a time to wait", path: "limited" },
  { name: "a result that streams", path: "stream" },
  { name: "a batch with a result that streams", path: "hello,stream?batch=1" },
  { name: "a result that cannot be written", path: "unserializable" },
  { name: "a batch with a result that cannot be written", path: "hello,unserializable?batch=1" },
  { name: "an unknown path", path: "nowhere" },
  { name: "an empty path", path: "" },
  { name: "a path with slashes", path: "chat/echo" },
  { name: "__proto__", path: "__proto__" },
  { name: "constructor", path: "constructor" },
  { name: "toString", path: "toString" },
  { name: "chat.__proto__", path: "chat.__proto__" },
  { name: "chat.constructor", path: "chat.constructor" },
  { name: "the name of a router", path: "chat" },
  { name: "a GET of a mutation", path: "chat.clear" },
  { name: "HEAD", path: "hello", method: "HEAD" },
  post("a mutation", "chat.send", JSON.stringify(echo("hi"))),
  post("a mutation without input and body", "chat.clear"),
  post("a mutation with an empty body", "chat.send", ""),
  post("a mutation with broken JSON", "chat.send", "{"),
  post("a mutation with a body of null", "chat.send", "null"),
  post("a mutation with a list", "chat.send", "[1]"),
  post("a POST of a query", "chat.echo", JSON.stringify(echo("hi"))),
  post("a POST to nowhere", "nowhere", "{}"),
  { name: "a PUT", path: "chat.send", method: "PUT", headers: json, body: "{}" },
  { name: "a DELETE", path: "chat.clear", method: "DELETE", headers: json },
  {
    name: "JSON with a charset",
    path: "chat.clear",
    method: "POST",
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  },
  {
    name: "a form",
    path: "chat.clear",
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "a=1",
  },
  { name: "text", path: "chat.clear", method: "POST", headers: { "content-type": "text/plain" }, body: "{}" },
  { name: "a batch of one", path: `hello?batch=1` },
  { name: "a batch", path: `hello,chat.echo?batch=1&${input({ 1: echo("hi") })}` },
  { name: "a batch with one failing", path: `hello,me,chat.echo?batch=1&${input({ 2: echo(1) })}` },
  { name: "a batch where all fail alike", path: "me,me?batch=1" },
  { name: "a batch with unknown paths", path: "hello,nowhere,__proto__?batch=1" },
  { name: "a batch of unknown paths", path: "a,b?batch=1" },
  { name: "a batch with broken JSON", path: "hello,chat.echo?batch=1&input=%7B" },
  { name: "a batch whose input is a list", path: "hello,chat.echo?batch=1&input=[]" },
  { name: "a batch whose input is null", path: "hello,chat.echo?batch=1&input=null" },
  { name: "a batch with one unreadable input", path: `chat.echo,chat.echo?batch=1&${input({ 0: echo("a"), 1: 7 })}` },
  { name: "a batch with an escaped comma", path: "hello%2Chello?batch=1" },
  { name: "a batch of queries and mutations", path: "hello,chat.clear?batch=1" },
  { name: "a batch of 20", path: `${Array(20).fill("hello").join()}?batch=1` },
  { name: "a batch of 21", path: `${Array(21).fill("hello").join()}?batch=1` },
  { name: "a batch with a subscription", path: "chat.forEver?batch=1" },
  { name: "a batch that is none", path: "hello,hello" },
  post("a batch of mutations", "chat.send,chat.clear?batch=1", JSON.stringify({ 0: echo("a") })),
  post("a batch of mutations with an empty body", "chat.clear,chat.send?batch=1", ""),
  post("a batch of POSTed queries", "hello,me?batch=1", "{}"),
];

describe("our route answers like tRPC's resolver", () => {
  const ask = async (url: string, { path, method = "GET", headers, body }: Case) => {
    const response = await fetch(`${url}/${path}`, { method, headers, body });
    const text = await response.text();
    return {
      status: response.status,
      // tRPC forgets the type of an answer that refuses the request as a whole.
      type: response.headers.get("content-type")?.replace(/^text\/plain.*/, "application/json"),
      allow: response.headers.get("allow"),
      // Before there is a context, tRPC's own route does not know the request's id.
      body: text.replaceAll('"requestId":""', '"requestId":"request"'),
    };
  };

  test.each(cases)("to $name", async (request) => {
    const [theirs, ours] = await Promise.all(servers.map(({ url }) => ask(url, request)));
    expect(ours).toEqual(theirs);
  });

  test("to a subscription, event by event", async () => {
    const read = async (url: string) => {
      const response = await fetch(`${url}/chat.count?${input({ json: { to: 3 } })}`);
      return { type: response.headers.get("content-type"), body: await response.text() };
    };
    const [theirs, ours] = await Promise.all(servers.map(({ url }) => read(url)));
    expect(ours).toEqual(theirs);
    expect(ours?.body).toContain("id: 3");
  });
});
