import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bodyLimit } from "./body.ts";
import { createTestApp, ran } from "./test-app.ts";

const json = { "content-type": "application/json" };
const post = (body: BodyInit, headers: Record<string, string> = json): RequestInit => ({ method: "POST", headers, body });
const errorOf = async (response: Response) => (await response.json()).error.json;

beforeEach(() => {
  ran.length = 0;
});

describe("the tRPC route", () => {
  test.each([
    ["a form", new URLSearchParams({ text: "a" })],
    ["a multipart form", new FormData()],
    ["plain text", '{"json":{"text":"a"}}'],
    ["bytes", new Uint8Array([1])],
  ])("runs no mutation for %s", async (_, body) => {
    const response = await createTestApp().ask("/trpc/chat.clear", { method: "POST", body });
    expect(response.status).toBe(415);
    expect(await errorOf(response)).toMatchObject({ data: { reason: "unsupported_media_type", requestId: "request-1" } });
    expect(ran).toEqual([]);
  });

  test("runs no mutation for a GET", async () => {
    const response = await createTestApp().ask("/trpc/chat.clear");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect((await errorOf(response)).data.reason).toBe("method_not_allowed");
    expect(ran).toEqual([]);
  });

  test("refuses a POST to a subscription", async () => {
    const response = await createTestApp().ask("/trpc/chat.count", post("{}"));
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET");
  });

  test("takes a body of exactly the limit and refuses one byte more", async () => {
    const { ask } = createTestApp();
    const body = (size: number) => JSON.stringify({ json: { text: "x".repeat(size - 20) } });
    expect(body(bodyLimit)).toHaveLength(bodyLimit);
    expect((await ask("/trpc/chat.send", post(body(bodyLimit)))).status).toBe(200);
    const response = await ask("/trpc/chat.send", post(body(bodyLimit + 1)));
    expect(response.status).toBe(413);
    expect((await errorOf(response)).data).toMatchObject({ reason: "payload_too_large", requestId: "request-2" });
    expect(ran).toHaveLength(1);
  });

  test.each([
    ["a tree of types too deep to walk", `{"json":{},"meta":{"values":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`],
    ["types for paths that are not there", '{"json":1,"meta":{"values":{"a.b.c":["Date"]}}}'],
  ])("calls %s invalid input", async (_, body) => {
    const { ask, lines } = createTestApp();
    const response = await ask("/trpc/chat.send", post(body));
    expect(response.status).toBe(400);
    expect((await errorOf(response)).data.reason).toBe("invalid_input");
    expect(lines.some(({ level }) => level === "error")).toBe(false);
  });

  test("tells the seconds to wait, rounded up, also when one call of a batch is limited", async () => {
    const { ask } = createTestApp();
    const single = await ask("/trpc/limited");
    expect(single.status).toBe(429);
    expect(single.headers.get("retry-after")).toBe("2");
    const batch = await ask("/trpc/hello,limited?batch=1");
    expect(batch.status).toBe(207);
    expect(batch.headers.get("retry-after")).toBe("2");
  });

  test("lets no unforeseen error's message leave, and logs it with the request's id", async () => {
    const { ask, lines } = createTestApp();
    const response = await ask("/trpc/crash");
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain("secret");
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "error", fields: expect.objectContaining({ requestId: "request-1" }) }),
    );
  });

  test("answers when no context can be made", async () => {
    const { ask, lines } = createTestApp({
      createContext: async () => {
        throw new Error("postgres://user:password@host");
      },
    });
    for (const path of ["hello", "hello,hello?batch=1", "chat.forEver"]) {
      const response = await ask(`/trpc/${path}`);
      const text = await response.text();
      expect(response.status).toBe(500);
      expect(text).toContain('"reason":"internal"');
      expect(text).not.toContain("password");
    }
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(3);
  });

  test("makes one context for a whole batch", async () => {
    const { ask, exchanges } = createTestApp();
    await ask("/trpc/hello,me,nothing?batch=1");
    expect(exchanges).toHaveLength(1);
  });

  test("sends the cookies that a procedure's context set, each on its own line", async () => {
    const { app, exchanges } = createTestApp();
    const answer = app.fetch(new Request("http://localhost/trpc/hello"), { peer: "192.0.2.1" });
    exchanges[0]?.setCookies.push("a=1; HttpOnly", "b=2; HttpOnly");
    expect((await answer).headers.getSetCookie()).toEqual(["a=1; HttpOnly", "b=2; HttpOnly"]);
  });
});

describe("over a socket", () => {
  const { app, lines } = createTestApp();
  let server: ServerType;
  let port = 0;

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (info: AddressInfo) => {
        port = info.port;
        resolve();
      });
    });
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  interface Raw {
    path: string;
    method?: string;
    headers?: Record<string, string>;
    chunks?: string[];
  }

  const raw = ({ path, method = "GET", headers = {}, chunks = [] }: Raw) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const request = httpRequest({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode, body }));
      });
      request.on("error", reject);
      for (const chunk of chunks) request.write(chunk);
      request.end();
    });

  const mutation = { path: "/trpc/chat.send", method: "POST" };

  test("a chunked body without a length is taken up to the limit", async () => {
    const headers = { ...json, "transfer-encoding": "chunked" };
    const fine = await raw({ ...mutation, headers, chunks: ['{"json":', '{"text":"ä', 'b"}}'] });
    expect(fine).toMatchObject({ status: 200, body: expect.stringContaining("äb") });
    const half = "x".repeat(bodyLimit / 2);
    const long = await raw({ ...mutation, headers, chunks: ['{"json":{"text":"', half, half, '"}}'] });
    expect(long).toMatchObject({ status: 413, body: expect.stringContaining("payload_too_large") });
    expect(ran).toEqual(["äb"]);
  });

  test("a body that says it is too long is refused unread", async () => {
    const answer = await raw({ ...mutation, headers: { ...json, "content-length": "5000000" }, chunks: ["x".repeat(5_000_000)] });
    expect(answer).toMatchObject({ status: 413, body: expect.stringContaining("payload_too_large") });
  });

  test("a sender who leaves in the middle of a body runs nothing and alarms nobody", async () => {
    const request = httpRequest({ port, host: "127.0.0.1", path: "/trpc/chat.send", method: "POST", headers: json });
    request.on("error", () => {});
    request.write('{"json":');
    await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBeGreaterThan(0);
    request.destroy();
    await expect.poll(() => lines.at(-1)?.fields).toMatchObject({ path: "/trpc/chat.send", status: 499 });
    expect(lines.some(({ level }) => level === "error")).toBe(false);
    expect(ran).toEqual([]);
  });

  test("a streamed batch of mutations has the same limit", async () => {
    const headers = { ...json, "trpc-accept": "application/jsonl" };
    const path = "/trpc/chat.send?batch=1";
    const fine = await raw({ ...mutation, path, headers, chunks: ['{"0":{"json":{"text":"streamed"}}}'] });
    expect(fine).toMatchObject({ status: 200, body: expect.stringContaining("streamed") });
    const long = await raw({ ...mutation, path, headers, chunks: [`{"0":{"json":{"text":"${"x".repeat(bodyLimit)}"}}}`] });
    expect(long.status).toBe(413);
    const many = await raw({ path: `/trpc/${Array(21).fill("hello").join()}?batch=1`, headers });
    expect(many.status).toBe(400);
  });

  test.each(["//", "//trpc/hello", "/trpc//hello", "//health", "/health//"])("%s is nowhere", async (path) => {
    expect((await raw({ path })).status).toBe(404);
  });

  test("a subscription arrives as it happens and ends when its reader leaves", async () => {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/trpc/chat.forEver`, {
      signal: leaving.signal,
      headers: { "accept-encoding": "gzip" },
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("id: 1\n")) text += (await reader?.read())?.value ?? "";
    leaving.abort();
    await expect.poll(() => ran).toEqual(["left"]);
  });
});
