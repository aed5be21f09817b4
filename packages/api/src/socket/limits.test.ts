import { AppError } from "@parley/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Caller } from "../context.ts";
import { createSocketHub, type SocketHub } from "./hub.ts";
import {
  actorOf,
  createTestHub,
  createTestRouter,
  createWorld,
  FakeSocket,
  mutation,
  query,
  quietLog,
  stop,
  subscription,
  type World,
} from "./testing.ts";

const guest = { origin: { address: "127.0.0.1", userAgent: null, isLocal: true }, token: null, expectsConnectionParams: false };

/** Lets everything run that needs no timer. */
const settled = () => vi.advanceTimersByTimeAsync(0);

describe("the limits of our socket", () => {
  let world: World;
  let hub: SocketHub;
  beforeEach(() => {
    vi.useFakeTimers();
    world = createWorld();
    hub = createTestHub(world);
  });
  afterEach(() => {
    hub.closeAll("restarting");
    expect(hub.counts()).toEqual({ connections: 0, subscriptions: 0 });
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  async function open(opening: Partial<typeof guest> | { token: string } = {}) {
    const socket = new FakeSocket();
    const connection = hub.open(socket, { ...guest, ...opening });
    await settled();
    const send = async (...messages: unknown[]) => {
      for (const message of messages) connection.message(typeof message === "string" ? message : JSON.stringify(message));
      await settled();
    };
    const reasons = () => socket.sent.map((frame) => JSON.parse(frame)).flatMap(({ error }) => error?.json.data.reason ?? []);
    return { socket, connection, send, reasons };
  }

  test("every call has a request id of its own", async () => {
    const { send, socket } = await open();
    await send(query(1, "requestId"), query(2, "requestId"));
    expect(new Set(socket.sent.map((frame) => JSON.parse(frame).result.data.json))).toEqual(new Set(["request-1", "request-2"]));
  });

  test("a token of the upgrade makes the context at once", async () => {
    const { send, socket } = await open({ token: "ada/1" });
    await send(query(1, "token"));
    expect(socket.sent).toEqual(['{"id":1,"result":{"type":"data","data":{"json":"ada/1"}}}']);
  });

  test("fifty subscriptions fit into one frame, the next is refused until one has stopped", async () => {
    const { send, reasons } = await open();
    await send(Array.from({ length: 50 }, (_, id) => subscription(id, "notes")));
    expect(reasons()).toEqual([]);
    expect(hub.counts()).toEqual({ connections: 1, subscriptions: 50 });
    await send(subscription(50, "notes"));
    expect(reasons()).toEqual(["rate_limited"]);
    await send(stop(0), subscription(51, "notes"));
    expect(reasons()).toEqual(["rate_limited"]);
    expect(hub.counts()).toEqual({ connections: 1, subscriptions: 50 });
  });

  test("of a frame with more than twenty calls only the subscriptions are taken", async () => {
    const { send, reasons } = await open();
    await send([...Array.from({ length: 21 }, (_, id) => mutation(id, "note", "x")), subscription(99, "notes")]);
    expect(reasons()).toEqual(Array.from({ length: 21 }, () => "payload_too_large"));
    expect(world.happened).toEqual([]);
    expect(hub.counts().subscriptions).toBe(1);
  });

  test("a hundred calls may be under way", async () => {
    const { send, reasons } = await open();
    for (let id = 0; id < 100; id++) await send(mutation(id, "hold"));
    await send(mutation(100, "note", "x"));
    expect(reasons()).toEqual(["rate_limited"]);
    expect(world.happened.filter((what) => what === "holding")).toHaveLength(100);
  });

  test("a frame of more than 64 KiB closes the socket", async () => {
    const { send, socket } = await open();
    await send("x".repeat(64 * 1024 + 1));
    expect(socket.ending).toEqual({ code: 1009, reason: "message_too_large" });
  });

  test("an id that is longer than any client's is refused", async () => {
    const { send, socket } = await open();
    await send(subscription("x".repeat(101), "words"));
    expect(socket.sent).toHaveLength(1);
    expect(JSON.parse(socket.sent[0] ?? "")).toMatchObject({ id: null, error: {} });
  });

  test("who does not say who it is within ten seconds is closed, whatever else it says", async () => {
    const { socket, send } = await open({ expectsConnectionParams: true });
    await vi.advanceTimersByTimeAsync(9_000);
    await send("PING");
    expect(socket.ending).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.ending).toEqual({ code: 4408, reason: "authentication_timeout" });
  });

  test("a quiet client is asked whether it is there, and ended when it does not answer", async () => {
    const silent = await open();
    const present = await open();
    await vi.advanceTimersByTimeAsync(25_000);
    expect([silent.socket.sent, present.socket.sent]).toEqual([["PING"], ["PING"]]);
    await present.send("PONG");
    await vi.advanceTimersByTimeAsync(10_000);
    expect([silent.socket.ending, present.socket.ending]).toEqual(["terminated", undefined]);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(present.socket.sent).toEqual(["PING", "PING"]);
    expect(hub.counts().connections).toBe(1);
  });

  test("a session that ends closes its sockets and no others", async () => {
    const phone = await open({ token: "ada/phone" });
    const laptop = await open({ token: "ada/laptop" });
    hub.accessChanged({ kind: "session_ended", userId: "ada", sessionId: "phone" });
    expect([phone.socket.ending, laptop.socket.ending]).toEqual([{ code: 4401, reason: "session_ended" }, undefined]);
    hub.accessChanged({ kind: "rights_changed", userId: "ada" });
    expect(laptop.socket.ending).toEqual({ code: 4403, reason: "rights_changed" });
  });

  test("a socket whose credentials could not be looked at is not kept: another one may be luckier", async () => {
    const { send, socket, reasons } = await open({ token: "unchecked" });
    await send(query(1, "token"));
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.ending).toEqual({ code: 1013, reason: "unavailable" });
    expect(new Set(reasons())).toEqual(new Set(["unavailable"]));
  });

  test("a session that ends while a socket is being opened is not missed", async () => {
    const ended = new Set<string>();
    const answers: (() => void)[] = [];
    const slow = createSocketHub({
      router: createTestRouter(world),
      log: quietLog,
      requestId: () => "",
      async createContext({ token, origin }: Caller) {
        const actor = token !== null && ended.has(token) ? null : actorOf(token);
        await new Promise<void>((resolve) => answers.push(resolve));
        return { requestId: "", actor, refusal: null, origin, token: actor && token, world };
      },
    });
    const socket = new FakeSocket();
    const connection = slow.open(socket, { ...guest, token: "ada/1" });
    connection.message(JSON.stringify(query(1, "token")));
    ended.add("ada/1");
    slow.accessChanged({ kind: "session_ended", userId: "ada", sessionId: "1" });
    for (let turn = 0; turn < 2; turn++) {
      answers.shift()?.();
      await settled();
    }
    expect(socket.sent).toEqual(['{"id":1,"result":{"type":"data","data":{"json":null}}}']);
    slow.closeAll("restarting");
  });

  test("calls under way are aborted when their socket closes", async () => {
    const { connection, send, socket } = await open();
    await send(mutation(1, "hold"), subscription(2, "wait"), subscription(3, "notes"));
    const { length } = socket.sent;
    connection.closed();
    await settled();
    expect(world.happened).toEqual(["holding", "waiting", "cleaned up"]);
    expect(world.topic.readers.size).toBe(0);
    expect(socket.sent).toHaveLength(length);
  });

  test("a mutation that waited for a context is not begun for a socket that has gone", async () => {
    const socket = new FakeSocket();
    const connection = hub.open(socket, guest);
    connection.message(JSON.stringify(mutation(1, "note", "x")));
    connection.closed();
    await settled();
    expect(world.happened).toEqual([]);
  });

  test("an event is serialised once for all who follow it", async () => {
    const followers = await Promise.all(Array.from({ length: 10 }, () => open()));
    for (const { send } of followers) await send(subscription(1, "notes"), subscription("two", "notes"));
    world.serialized = 0;
    world.topic.append("for all");
    expect(world.serialized).toBe(1);
    const body =
      '"result":{"type":"data","data":{"json":{"id":"1","data":{"text":"for all","at":"1970-01-01T00:00:00.000Z"}},"meta":{"values":{"data.at":["Date"]},"v":1}},"id":"1"}}';
    for (const { socket } of followers) expect(socket.sent.slice(2)).toEqual([`{"id":1,${body}`, `{"id":"two",${body}`]);
  });

  test("an event that cannot be serialised ends its followers and disturbs nobody else", async () => {
    const { send, socket } = await open();
    await send(subscription(1, "notes"));
    const broken = {
      get text(): string {
        throw new Error("cannot be read");
      },
      at: new Date(0),
    };
    expect(() => world.topic.push({ id: "1", event: broken })).not.toThrow();
    expect(socket.sent.map((frame) => JSON.parse(frame))).toMatchObject([
      { result: { type: "started" } },
      { id: 1, error: { json: { data: { code: "INTERNAL_SERVER_ERROR" } } } },
      { result: { type: "stopped" } },
    ]);
    expect(world.topic.readers.size).toBe(0);
  });

  test("followers of a slow reader are paused, take turns, and miss nothing", async () => {
    const { send, socket } = await open();
    await send(subscription(1, "notes"), subscription(2, "notes"));
    socket.sent = [];
    socket.isReading = false;
    for (let n = 0; n < 200; n++) world.topic.append(`${n} ${"x".repeat(10_000)}`);
    const paused = socket.sent.length;
    expect(socket.bufferedAmount).toBeLessThan(300_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.sent).toHaveLength(paused);
    for (let turn = 0; turn < 2; turn++) {
      socket.bufferedAmount = 0;
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(new Set(socket.sent.slice(paused).map((frame) => JSON.parse(frame).id))).toEqual(new Set([1, 2]));
    socket.read();
    await vi.advanceTimersByTimeAsync(1_000);
    for (const id of [1, 2]) {
      const events = socket.sent.map((frame) => JSON.parse(frame)).filter((frame) => frame.id === id);
      expect(events.map(({ result }) => result.id)).toEqual(Array.from({ length: 200 }, (_, n) => String(n + 1)));
    }
    expect(socket.ending).toBeUndefined();
  });

  test("the end of a feed comes after what a slow reader had still to get", async () => {
    const { send, socket } = await open();
    await send(subscription(1, "notes"));
    socket.bufferedAmount = 300_000;
    world.topic.append("last");
    world.topic.end(new AppError("unavailable", "The log is gone"));
    expect(socket.sent).toHaveLength(1);
    socket.read();
    await vi.advanceTimersByTimeAsync(20);
    expect(socket.sent.map((frame) => JSON.parse(frame))).toMatchObject([
      { result: { type: "started" } },
      { result: { id: "1" } },
      { error: { json: { data: { reason: "unavailable" } } } },
      { result: { type: "stopped" } },
    ]);
  });

  test("a slow reader may stop what it follows and is not ended for being slow", async () => {
    const { send, socket } = await open();
    await send(subscription(1, "notes"));
    socket.bufferedAmount = 300_000;
    world.topic.append("one");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(socket.ending).toBeUndefined();
    await send(stop(1));
    expect(world.topic.readers.size).toBe(0);
    socket.read();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.sent).toEqual(['{"id":1,"result":{"type":"started"}}', "PING", '{"id":1,"result":{"type":"stopped"}}']);
  });

  test("a generator is not asked for more than a slow reader takes", async () => {
    const { send, socket } = await open();
    socket.isReading = false;
    await send(subscription(1, "flood", 100));
    expect(world.happened).toHaveLength(26);
    socket.read();
    await vi.advanceTimersByTimeAsync(20);
    expect(world.happened).toHaveLength(100);
    expect(socket.sent.at(-1)).toBe('{"id":1,"result":{"type":"stopped"}}');
  });

  test("a paused generator is stopped by its client and by the end of its socket", async () => {
    const { send, connection, socket } = await open();
    socket.isReading = false;
    await send(subscription(1, "flood", 100));
    await send(stop(1));
    expect(socket.sent.at(-1)).toBe('{"id":1,"result":{"type":"stopped"}}');
    await send(subscription(2, "flood", 100));
    connection.closed();
    await settled();
    expect(world.happened.length).toBeLessThan(100);
  });

  test("who asks for more and more without reading it is ended at 1 MiB", async () => {
    const { send, socket } = await open();
    socket.isReading = false;
    for (let id = 0; id < 30 && !socket.ending; id++) await send(query(id, "large", 100_000));
    expect(socket.ending).toBe("terminated");
    expect(socket.sent.length).toBeLessThan(12);
  });

  test("a socket that cannot send or close any more harms nobody", async () => {
    const { send, socket } = await open();
    const other = await open();
    await send(subscription(1, "notes"));
    await other.send(subscription(1, "notes"));
    const broken = () => {
      throw new Error("EPIPE");
    };
    Object.assign(socket, { send: broken, terminate: broken });
    world.topic.append("one");
    expect(other.socket.sent).toHaveLength(2);
    expect(hub.counts()).toEqual({ connections: 1, subscriptions: 1 });
  });

  test("no frame throws, whatever is in it", async () => {
    const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
    const annotated = (values: string) =>
      `{"id":1,"method":"query","params":{"path":"add","input":{"json":{},"meta":{"values":${values}}}}}`;
    const frames = [
      "",
      "\u0000",
      "\ud800",
      "[",
      deep("[", "]", 30_000),
      deep('{"a":', "}", 9_000).replace("}", "1}"),
      `{"id":1,"method":"query","params":{"path":"add","input":{"json":${deep("[", "]", 30_000)}}}}`,
      `{"id":1,"method":"query","params":{"path":"add","input":${deep("[", "]", 30_000)}}}`,
      annotated(deep("[", "]", 30_000)),
      annotated('{"__proto__":["Date"]}'),
      annotated('{"a.b.c":["Date"],"constructor.prototype":["map"]}'),
      annotated('[["regexp"]]'),
      annotated("5"),
      '{"id":1,"method":"query","params":{"path":"add","input":{"json":"99999999999999999999","meta":{"values":["bigint"]}}}}',
      '{"__proto__":{"id":1},"method":"query","params":{"path":"add"}}',
      '{"id":1,"method":"query","params":{"__proto__":{"path":"add"}}}',
      '{"id":1e400,"method":"subscription","params":{"path":"notes"}}',
      '{"id":-0,"method":"subscription","params":{"path":"notes","lastEventId":"__proto__"}}',
      `{"id":${"9".repeat(60_000)},"method":"query","params":{"path":"nothing"}}`,
      `{"id":1,"method":"query","params":{"path":"${"a.".repeat(30_000)}"}}`,
      `[${"0,".repeat(30_000)}0]`,
      `[${'{"id":1,"method":"subscription.stop"},'.repeat(1_500)}{"id":1,"method":"subscription.stop"}]`,
      ...["toString", "hasOwnProperty", "__proto__.toString", "_def", "createCaller", "then"].map((path) =>
        JSON.stringify(query(1, path)),
      ),
    ];
    for (const opening of [{}, { expectsConnectionParams: true }]) {
      for (const frame of frames) {
        const { connection, socket } = await open(opening);
        expect(() => connection.message(frame)).not.toThrow();
        await settled();
        for (const answer of socket.sent) expect(() => JSON.parse(answer)).not.toThrow();
      }
    }
  });
});
