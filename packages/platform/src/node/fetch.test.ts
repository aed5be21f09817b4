import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type FollowedBody, followBody } from "@parley/core/ports";
import { listenLocally } from "@parley/testing";
import { afterEach, describe, expect, test } from "vitest";
import { nodeFetch } from "./fetch.ts";

const servers = new Set<Server>();
afterEach(() => {
  for (const server of servers) server.close().closeAllConnections();
  servers.clear();
});

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  servers.add(server);
  const { url } = await listenLocally(server);
  return { server, url };
}

describe("nodeFetch", () => {
  const fetch = nodeFetch();

  test("sends what it is given, and asks for no compression", async () => {
    const { url } = await serve(async (request, response) => {
      const text = (await request.toArray()).join("");
      const { authorization, "accept-encoding": encoding } = request.headers;
      response.writeHead(201, { "x-kind": ["a", "b"] }).end(JSON.stringify([request.method, authorization, encoding, text]));
    });
    const response = await fetch(url, { method: "POST", headers: { authorization: "Bearer k" }, body: "Grüße" });
    expect([response.status, response.ok, response.headers.get("x-kind")]).toEqual([201, true, "a, b"]);
    expect(await response.json()).toEqual(["POST", "Bearer k", "identity", "Grüße"]);
  });

  test("hands chunks over as they come, and uses a connection again", async () => {
    let release = () => {};
    const { server, url } = await serve((_, response) => {
      response.write("first");
      release = () => void response.end("last");
    });
    let connections = 0;
    server.on("connection", () => connections++);
    for (let round = 0; round < 2; round++) {
      const reader = (await fetch(url)).body?.getReader();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
      release();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("last");
      expect(await reader?.read()).toEqual({ done: true, value: undefined });
    }
    expect(connections).toBe(1);
  });

  test("waits for a reader who is slow", async () => {
    const size = 32 * 1024 * 1024;
    let isSent = false;
    const { url } = await serve((_, response) => void response.end(Buffer.alloc(size), () => (isSent = true)));
    const response = await fetch(url);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isSent).toBe(false);
    expect((await response.arrayBuffer()).byteLength).toBe(size);
  });

  test.each([301, 302, 303, 307, 308])("answers with a redirect of %i as it is, and goes nowhere", async (status) => {
    const asked: string[] = [];
    const { url } = await serve((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(status, { location: "/there" }).end("Over there");
    });
    const bytes = new TextEncoder().encode("Hi");
    for (const body of ["Hi", bytes]) {
      const response = await fetch(url, { method: "POST", body, redirect: "follow" });
      expect([response.status, response.headers.get("location"), await response.text()]).toEqual([
        status,
        "/there",
        "Over there",
      ]);
    }
    expect((await fetch(new Request(url))).status).toBe(status);
    expect(asked).toEqual(["/", "/", "/"]);
  });

  test("answers without a body where there is none", async () => {
    const { url } = await serve((_, response) => void response.writeHead(204).end());
    expect((await fetch(url)).body).toBeNull();
  });

  test("an abort ends the connection, whenever it comes", async () => {
    const { server, url } = await serve((request, response) => {
      if (request.url === "/begun") response.write("first");
    });
    const gone = () => once(server, "connection").then(([socket]) => once(socket, "close"));
    await expect(fetch(url, { signal: AbortSignal.abort("stopped") })).rejects.toBe("stopped");

    for (const path of ["/silent", "/begun"]) {
      const abort = new AbortController();
      const closed = gone();
      const asked = fetch(url + path, { signal: abort.signal });
      const reader = path === "/begun" ? (await asked).body?.getReader() : undefined;
      await reader?.read();
      setTimeout(() => abort.abort("stopped"), 10);
      await expect(reader ? reader.read() : asked).rejects.toBe("stopped");
      await closed;
    }
  });

  test("a reader who leaves ends the connection", async () => {
    const { server, url } = await serve((_, response) => void response.write("first"));
    const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
    await (await fetch(url)).body?.cancel();
    await closed;
  });

  describe("a body that is followed", () => {
    /** What was told of it, in order. */
    async function follow(url: string, init?: RequestInit) {
      const { body } = await fetch(url, init);
      if (!body || !isFollowed(body)) throw new Error("This body cannot be followed");
      const told: unknown[] = [];
      const following = body[followBody]({
        chunk: (bytes) => told.push(Buffer.from(bytes).toString()),
        end: () => told.push("end"),
        fail: (error) => told.push(error),
      });
      return { told, following };
    }
    const isFollowed = (body: ReadableStream<Uint8Array>): body is FollowedBody => followBody in body;

    test("tells of each chunk as it comes, and of its end, and leaves the connection to others", async () => {
      let release = () => {};
      const { server, url } = await serve((_, response) => {
        response.write("first");
        release = () => void response.end("last");
      });
      let connections = 0;
      server.on("connection", () => connections++);
      for (let round = 0; round < 2; round++) {
        const { told } = await follow(url);
        await expect.poll(() => told).toEqual(["first"]);
        release();
        await expect.poll(() => told).toEqual(["first", "last", "end"]);
      }
      expect(connections).toBe(1);
    });

    test("says nothing more once it was stopped, and ends the connection", async () => {
      const { server, url } = await serve((_, response) => {
        response.write("first");
      });
      const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
      const { told, following } = await follow(url);
      await expect.poll(() => told).toEqual(["first"]);
      following.stop();
      await closed;
      expect(told).toEqual(["first"]);
    });

    test("tells why it broke off", async () => {
      const { url } = await serve((_, response) => void response.write("first", () => response.destroy()));
      const { told } = await follow(url);
      const cause = expect.objectContaining({ code: "ECONNRESET" });
      await expect.poll(() => told).toEqual(["first", expect.objectContaining({ message: "terminated", cause })]);
    });

    test("tells of a break that came before anybody followed", async () => {
      const { url } = await serve((_, response) => void response.write("first"));
      const abort = new AbortController();
      const { body } = await fetch(url, { signal: abort.signal });
      if (!body || !isFollowed(body)) throw new Error("This body cannot be followed");
      abort.abort("stopped");
      await new Promise((resolve) => setImmediate(resolve));
      const told: unknown[] = [];
      body[followBody]({ chunk: () => told.push("chunk"), end: () => told.push("end"), fail: (error) => told.push(error) });
      expect(told).toEqual([]);
      await expect.poll(() => told).toEqual(["stopped"]);
    });
  });

  test("failures have their cause", async () => {
    const { server, url } = await serve((request, response) => {
      if (request.url === "/begun") response.write("first", () => response.destroy());
      else request.socket.destroy();
    });
    const reset = expect.objectContaining({ code: "ECONNRESET" });
    await expect(fetch(url)).rejects.toMatchObject({ message: "fetch failed", cause: reset });
    await expect((await fetch(`${url}/begun`)).text()).rejects.toMatchObject({ message: "terminated", cause: reset });
    server.close().closeAllConnections();
    await expect(fetch(url)).rejects.toMatchObject({ cause: expect.objectContaining({ code: "ECONNREFUSED" }) });
    await expect(fetch("nonsense")).rejects.toThrow(TypeError);
  });
});
