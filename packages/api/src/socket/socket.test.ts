import type { AddressInfo } from "node:net";
import { AppError } from "@parley/core";
import { createTRPCClient, createWSClient, TRPCClientError, wsLink } from "@trpc/client";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { SocketHub } from "./hub.ts";
import {
  actorOf,
  createTestHub,
  createTestRouter,
  createWorld,
  mutation,
  type Note,
  query,
  stop,
  subscription,
  type TestRouter,
  type World,
} from "./testing.ts";

// Two servers of the same protocol -----------------------------------------------------------------------------------

interface TestServer extends AsyncDisposable {
  url: string;
  world: World;
  /** The server's ends. */
  sockets: Set<WebSocket>;
  broadcastReconnect(): void;
}

interface OurServer extends TestServer {
  hub: SocketHub;
}

async function listen(attach: (server: WebSocketServer) => void) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  attach(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets: server.clients,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function theirs(): Promise<TestServer> {
  const world = createWorld();
  let broadcastReconnect = () => {};
  const listening = await listen((wss) => {
    const handler = applyWSSHandler({
      wss,
      router: createTestRouter(world),
      onError() {},
      createContext({ info }) {
        const token = info.connectionParams?.token ?? null;
        if (token === "broken") throw new AppError("unavailable", "No database");
        return { requestId: "fixed", actor: actorOf(token), refusal: null, token, world };
      },
    });
    broadcastReconnect = handler.broadcastReconnectNotification;
  });
  return { ...listening, world, broadcastReconnect };
}

async function ours(): Promise<OurServer> {
  const world = createWorld();
  const hub = createTestHub(world);
  const listening = await listen((wss) => {
    wss.on("connection", (socket, request) => {
      const expectsConnectionParams = request.url?.includes("connectionParams=1") ?? false;
      const connection = hub.open(socket, {
        origin: { address: "127.0.0.1", userAgent: null, isLocal: true },
        token: null,
        expectsConnectionParams,
      });
      socket.on("message", (data) => connection.message(String(data)));
      socket.on("close", () => connection.closed());
      socket.on("error", () => {});
    });
  });
  return { ...listening, world, hub, broadcastReconnect: hub.broadcastReconnect };
}

// Two kinds of clients -------------------------------------------------------------------------------------------------

interface RawClient {
  socket: WebSocket;
  frames: string[];
  ended: Promise<{ code: number; reason: string }>;
  send(...messages: unknown[]): void;
  /** The frames as soon as there are so many. */
  receive(count: number): Promise<string[]>;
}

async function connect(server: TestServer, query = ""): Promise<RawClient> {
  const socket = new WebSocket(`${server.url}/${query}`, { perMessageDeflate: false });
  const frames: string[] = [];
  socket.on("message", (data) => frames.push(String(data)));
  socket.on("error", () => {});
  const ended = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise((resolve) => socket.once("open", resolve));
  return {
    socket,
    frames,
    ended,
    send(...messages) {
      for (const message of messages) socket.send(typeof message === "string" ? message : JSON.stringify(message));
    },
    async receive(count) {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThanOrEqual(count), { timeout: 5_000, interval: 2 });
      return frames;
    },
  };
}

function officialClient(server: TestServer, connectionParams?: () => { token: string }) {
  const socket = createWSClient({ url: server.url, WebSocket: WebSocket as never, retryDelayMs: () => 1, connectionParams });
  const client = createTRPCClient<TestRouter>({ links: [wsLink({ client: socket, transformer: superjson })] });
  closings.push(() => socket.close());
  return client;
}

const closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closings.splice(0).map((close) => close()));
});

/** Collects a subscription of the official client. */
function collect<Data>() {
  const data: Data[] = [];
  const seen: string[] = [];
  const handlers = {
    onStarted: () => void seen.push("started"),
    onData: (value: Data) => void data.push(value),
    onError: (error: unknown) => void seen.push(error instanceof TRPCClientError ? `error: ${error.message}` : "error"),
    onComplete: () => void seen.push("complete"),
  };
  return { data, seen, handlers };
}

type Notes = { id: string; data: Note };

const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 5_000, interval: 2 });
const texts = (notes: Notes[]) => notes.map(({ data }) => data.text);

// What holds for both -----------------------------------------------------------------------------------------------------

describe.each([
  ["tRPC's own adapter", theirs],
  ["our socket", ours],
])("the WebSocket protocol of tRPC, spoken by %s", (_, start) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await start();
  });
  afterEach(() => server[Symbol.asyncDispose]());

  test("a query and a mutation are answered, with dates in and out", async () => {
    const client = officialClient(server);
    await expect(client.add.query({ a: 1, b: 2 })).resolves.toBe(3);
    await expect(client.nextDay.query(new Date(0))).resolves.toEqual({ day: new Date(86_400_000) });
    await expect(client.note.mutate("milk")).resolves.toEqual({ noted: "milk" });
    await expect(client.nothing.query()).resolves.toBeUndefined();
    await expect(client.nested.deep.query()).resolves.toBe("found");
  });

  test("errors arrive in the shape of the error formatter", async () => {
    const client = officialClient(server);
    await expect(client.refuse.query()).rejects.toMatchObject({
      message: "Not so fast",
      data: { reason: "rate_limited", retryAfterMs: 5 },
    });
    await expect(client.add.query({ a: 1, b: "two" } as never)).rejects.toMatchObject({ data: { code: "BAD_REQUEST" } });
    await expect(client.crash.query()).rejects.toMatchObject({ data: { code: "INTERNAL_SERVER_ERROR", path: "crash" } });
  });

  test("an error that the formatter cannot format and a result that cannot be sent are answered all the same", async () => {
    const client = officialClient(server);
    await expect(client.unformattable.query()).rejects.toMatchObject({ data: { code: "INTERNAL_SERVER_ERROR" } });
    await expect(client.unserialisable.query()).rejects.toMatchObject({ data: { code: "INTERNAL_SERVER_ERROR" } });
    await expect(client.add.query({ a: 1, b: 1 })).resolves.toBe(2);
  });

  test("connection params make the context", async () => {
    const client = officialClient(server, () => ({ token: "ada/1" }));
    await expect(client.token.query()).resolves.toBe("ada/1");
  });

  test("calls that come before the context is made wait for it", async () => {
    const raw = await connect(server, "?connectionParams=1");
    raw.send({ method: "connectionParams", data: { token: "ada/1" } }, query(1, "token"), query(2, "token"));
    expect(await raw.receive(2)).toEqual([1, 2].map((id) => `{"id":${id},"result":{"type":"data","data":{"json":"ada/1"}}}`));
  });

  test("a context that cannot be made is told with a null id and to every call, then the socket is closed", async () => {
    const raw = await connect(server, "?connectionParams=1");
    raw.send({ method: "connectionParams", data: { token: "broken" } }, query(1, "token"));
    await raw.ended;
    expect(raw.frames.map((frame) => JSON.parse(frame))).toMatchObject([
      { id: null, error: { json: { data: { reason: "unavailable" } } } },
      { id: 1, error: { json: { data: { reason: "unavailable" } } } },
    ]);
  });

  test("a tracked generator and an untracked one run to their end", async () => {
    const client = officialClient(server);
    const counted = collect<unknown>();
    const words = collect<unknown>();
    client.count.subscribe({ to: 2 }, counted.handlers);
    client.words.subscribe(undefined, words.handlers);
    await until(() =>
      expect([counted.seen, words.seen]).toEqual([
        ["started", "complete"],
        ["started", "complete"],
      ]),
    );
    expect(counted.data).toEqual([1, 2].map((n) => ({ id: String(n), data: { n, at: new Date(n) } })));
    expect(words.data).toEqual(["one", new Date(0)]);
  });

  test("a feed is followed from its beginning to its end", async () => {
    const client = officialClient(server);
    const notes = collect<Notes>();
    server.world.topic.append("one");
    client.notes.subscribe(undefined, notes.handlers);
    await until(() => expect(notes.data).toHaveLength(1));
    server.world.topic.append("two");
    server.world.topic.end();
    await until(() => expect(notes.seen).toEqual(["started", "complete"]));
    expect(notes.data).toEqual(["one", "two"].map((text, index) => ({ id: String(index + 1), data: { text, at: new Date(0) } })));
  });

  test("a stopped subscription aborts its generator, and nothing comes after", async () => {
    const raw = await connect(server);
    raw.send(subscription(1, "wait"));
    await raw.receive(2);
    raw.send(stop(1));
    await raw.receive(3);
    expect(server.world.happened).toEqual(["waiting", "cleaned up"]);
    expect(raw.frames.at(-1)).toBe('{"id":1,"result":{"type":"stopped"}}');
  });

  test("a stopped feed is no longer followed, and nothing comes after", async () => {
    const raw = await connect(server);
    raw.send(subscription(1, "notes"), stop(1), query(2, "nothing"));
    await until(() => expect(raw.frames.at(-1)).toContain('"id":2'));
    raw.send(subscription(1, "notes"));
    await until(() => expect(server.world.topic.readers.size).toBe(1));
    raw.send(stop(1));
    await until(() => expect(server.world.topic.readers.size).toBe(0));
    await until(() => expect(raw.frames.at(-1)).toContain("stopped"));
    const { length } = raw.frames;
    server.world.topic.append("unseen");
    raw.send(query(3, "nothing"));
    expect((await raw.receive(length + 1)).slice(length)).toEqual([expect.stringContaining('"id":3')]);
  });

  test("a closed socket ends its subscriptions", async () => {
    const raw = await connect(server);
    raw.send(subscription(1, "wait"), subscription(2, "notes"));
    await raw.receive(3);
    raw.socket.terminate();
    await until(() => expect(server.world.happened).toEqual(["waiting", "cleaned up"]));
    await until(() => expect(server.world.topic.readers.size).toBe(0));
  });

  test("an error in mid-stream is told before the end", async () => {
    const client = officialClient(server);
    const late = collect<unknown>();
    client.failsLate.subscribe(undefined, late.handlers);
    await until(() => expect(late.seen).toEqual(["started", "error: Gone"]));
    expect(late.data).toEqual([{ id: "1", data: "fine" }]);
  });

  test("an id may be used again once its subscription has stopped, not before", async () => {
    const raw = await connect(server);
    raw.send(subscription("a", "wait"), subscription("a", "words"));
    await until(() => expect(raw.frames.some((frame) => frame.includes("BAD_REQUEST"))).toBe(true));
    raw.send(stop("a"));
    await until(() => expect(raw.frames.at(-1)).toContain("stopped"));
    const { length } = raw.frames;
    raw.send(subscription("a", "words"));
    expect((await raw.receive(length + 4)).slice(length)).toEqual(
      ['{"type":"started"}', '{"type":"data","data":{"json":"one"}}', expect.any(String), '{"type":"stopped"}'].map((result) =>
        typeof result === "string" ? `{"id":"a","result":${result}}` : result,
      ),
    );
  });

  test("a cut connection is resumed after the last event, without a gap or a double", async () => {
    const client = officialClient(server);
    const notes = collect<Notes>();
    client.notes.subscribe(undefined, notes.handlers);
    const expected: string[] = [];
    for (let round = 1; round <= 3; round++) {
      for (const part of ["a", "b"]) {
        expected.push(`${round}${part}`);
        server.world.topic.append(`${round}${part}`);
        if (part === "a") await until(() => expect(texts(notes.data)).toEqual(expected));
      }
      for (const socket of server.sockets) socket.terminate();
    }
    await until(() => expect(texts(notes.data)).toEqual(expected));
  });

  test("a reconnect notice moves the subscriptions, without a gap or a double", async () => {
    const client = officialClient(server);
    const notes = collect<Notes>();
    client.notes.subscribe(undefined, notes.handlers);
    await until(() => expect(notes.seen).toEqual(["started"]));
    const [first] = server.sockets;
    const expected: string[] = [];
    server.broadcastReconnect();
    await until(() => {
      expected.push(String(expected.length));
      server.world.topic.append(String(expected.length - 1));
      expect(first?.readyState).toBe(WebSocket.CLOSED);
    });
    await until(() => expect(texts(notes.data)).toEqual(expected));
    expect(server.sockets.size).toBe(1);
  });

  test("calls that are made together travel in one frame and are all answered", async () => {
    const client = officialClient(server);
    const sums = Array.from({ length: 20 }, (_each, n) => client.add.query({ a: n, b: n }));
    await expect(Promise.all(sums)).resolves.toEqual(Array.from({ length: 20 }, (_each, n) => 2 * n));
  });
});

// Byte for byte -------------------------------------------------------------------------------------------------------------

describe("our socket answers with the same bytes as tRPC's own adapter", () => {
  const nothing = superjson.serialize(undefined);
  const scripts: Record<string, { frames: unknown[]; answers: number; query?: string }> = {
    "a query": { frames: [query(1, "add", { a: 1, b: 2 })], answers: 1 },
    "a date": { frames: [query(1, "nextDay", new Date(0))], answers: 1 },
    "no result": { frames: [query(1, "nothing")], answers: 1 },
    "an id that is a string": { frames: [query('"quoted"', "nothing")], answers: 1 },
    "an id beyond all numbers": { frames: ['{"id":1e999,"method":"query","params":{"path":"nothing","input":{}}}'], answers: 1 },
    "JSON-RPC 2.0": {
      frames: [
        { ...query(1, "nothing"), jsonrpc: "2.0" },
        { ...subscription(2, "failsLate"), jsonrpc: "2.0" },
      ],
      answers: 5,
    },
    "a mutation": { frames: [mutation(1, "note", "x")], answers: 1 },
    "an input that is not valid": { frames: [query(1, "add", { a: "1" })], answers: 1 },
    "an error of ours": { frames: [query(1, "refuse")], answers: 1 },
    "an unforeseen error": { frames: [query(1, "crash")], answers: 1 },
    "an unknown procedure": { frames: [query(1, "nope"), query(2, "nested"), query(3, "")], answers: 3 },
    "names of the prototype": {
      frames: [query(1, "__proto__"), query(2, "constructor"), query(3, "nested.__proto__")],
      answers: 3,
    },
    "a query called as a mutation": { frames: [mutation(1, "add", { a: 1, b: 2 })], answers: 1 },
    "a query called as a subscription": { frames: [subscription(1, "add", { a: 1, b: 2 })], answers: 1 },
    "a subscription called as a query": { frames: [query(1, "words")], answers: 1 },
    "a query that streams": { frames: [query(1, "streamFromQuery")], answers: 1 },
    "a tracked subscription": { frames: [subscription(1, "count", { to: 3 })], answers: 5 },
    "a resumed subscription": {
      frames: [{ id: 1, method: "subscription", params: { path: "count", input: { json: { to: 3 } }, lastEventId: "2" } }],
      answers: 3,
    },
    "a resumed subscription without an input": {
      frames: [{ id: 1, method: "subscription", params: { path: "notes", input: nothing, lastEventId: "2" } }],
      answers: 2,
    },
    "an untracked subscription": { frames: [subscription(1, "words")], answers: 4 },
    "a feed": { frames: [subscription(1, "notes")], answers: 4 },
    "a feed that cannot be opened": { frames: [subscription(1, "brokenFeed")], answers: 3 },
    "an error in mid-stream": { frames: [subscription(1, "failsLate")], answers: 4 },
    "an error before the stream": { frames: [subscription(1, "failsEarly")], answers: 1 },
    "an event that cannot be serialised": { frames: [subscription(1, "sendsWhatCannotBeSent")], answers: 3 },
    "a subscription that returns no iterable": { frames: [subscription("x", "add")], answers: 1 },
    "a stop before the start": { frames: [[subscription(1, "wait"), stop(1)]], answers: 1 },
    "a stop for nothing": { frames: [stop(7), stop(null), query(1, "nothing")], answers: 2 },
    "a batch": { frames: [[query(1, "nothing"), mutation(2, "note", "x")]], answers: 2 },
    "an empty batch": { frames: [[], query(1, "nothing")], answers: 1 },
    "a batch with one bad message": { frames: [[query(1, "nothing"), { id: 2 }]], answers: 1 },
    "an id that is null": { frames: [query(null, "nothing")], answers: 1 },
    "no id": { frames: [{ method: "query", params: { path: "nothing" } }], answers: 1 },
    "an id of a wrong type": { frames: [query({}, "nothing"), query([1], "nothing"), query(true, "nothing")], answers: 3 },
    "an unknown method": { frames: [{ ...query(1, "nothing"), method: "destroy" }], answers: 1 },
    "params of a wrong type": { frames: [null, 5, [], "x"].map((params) => ({ id: 1, method: "query", params })), answers: 4 },
    "a path of a wrong type": { frames: [query(1, 5 as never)], answers: 1 },
    "a lastEventId of a wrong type": {
      frames: [{ id: 1, method: "subscription", params: { path: "words", lastEventId: 5 } }],
      answers: 1,
    },
    "no JSON": { frames: ["hello", "{", ""], answers: 3 },
    "JSON that is no message": { frames: ["null", "5", '"x"', "true", "[null]", "[[]]"], answers: 6 },
    "PING and PONG": { frames: ["PING", "PONG", "PING"], answers: 2 },
    "connection params that are no JSON": { query: "?connectionParams=1", frames: ["hello"], answers: 1 },
    "connection params without data": { query: "?connectionParams=1", frames: [query(1, "nothing")], answers: 1 },
    "connection params of a wrong type": { query: "?connectionParams=1", frames: [{ data: { token: 5 } }], answers: 1 },
    "connection params that are null": { query: "?connectionParams=1", frames: [{ data: null }, query(1, "token")], answers: 1 },
    "a PING before the connection params": { query: "?connectionParams=1", frames: ["PING"], answers: 1 },
  };

  async function transcript(server: TestServer, { frames, answers, query: search }: (typeof scripts)[string]) {
    await using _closing = server;
    server.world.topic.append("one");
    server.world.topic.append("two");
    server.world.topic.end();
    const raw = await connect(server, search);
    raw.send(...frames);
    await raw.receive(answers);
    raw.send("PING");
    await Promise.race([raw.receive(answers + 1), raw.ended]);
    return raw.frames.filter((frame, index) => index < answers || frame !== "PONG");
  }

  test.each(Object.entries(scripts))("%s", async (_, script) => {
    const [our, their] = [await transcript(await ours(), script), await transcript(await theirs(), script)];
    expect(our).toEqual(their);
    expect(our).toHaveLength(script.answers);
  });

  test("but an input that cannot be read is refused to its own call, where tRPC refuses the frame and leaves the caller waiting", async () => {
    await using server = await ours();
    const raw = await connect(server);
    raw.send([{ id: 1, method: "query", params: { path: "add", input: 5 } }, query(2, "nothing")]);
    const answers = (await raw.receive(2)).map((frame) => JSON.parse(frame)).sort((a, b) => a.id - b.id);
    expect(answers).toMatchObject([
      { id: 1, error: { json: { data: { code: "BAD_REQUEST" } } } },
      { id: 2, result: {} },
    ]);
  });
});

describe("our socket over a real connection", () => {
  test("a paused reader costs bounded memory and gets every event in order when it reads again", async () => {
    await using server = await ours();
    const raw = await connect(server);
    raw.send(subscription(1, "notes"));
    await raw.receive(1);
    raw.socket.pause();
    const [socket] = server.sockets;
    let highest = 0;
    let appended = 0;
    const append = (count: number) => {
      for (let n = 0; n < count; n++) server.world.topic.append(`${appended++} ${"x".repeat(20_000)}`);
      highest = Math.max(highest, socket?.bufferedAmount ?? 0);
    };
    // The kernel takes some megabytes before anything waits here.
    while (highest <= 256 * 1024) {
      append(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    append(500);
    expect(highest).toBeLessThan(1024 * 1024);
    raw.socket.resume();
    const [, ...events] = await raw.receive(appended + 1);
    expect(events.map((frame) => Number(JSON.parse(frame).result.id))).toEqual(Array.from({ length: appended }, (_, n) => n + 1));
  });

  test("who leaves is forgotten", async () => {
    await using server = await ours();
    const raw = await connect(server);
    raw.send(subscription(1, "notes"), mutation(2, "hold"));
    await until(() => expect(server.hub.counts()).toEqual({ connections: 1, subscriptions: 1 }));
    raw.socket.terminate();
    await until(() => expect(server.hub.counts()).toEqual({ connections: 0, subscriptions: 0 }));
  });
});
