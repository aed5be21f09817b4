import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SocketHub } from "./hub.ts";
import { actorOf, createTestHub, createWorld, FakeSocket, mutation, query, subscription, type World } from "./testing.ts";

const origin = { address: "127.0.0.1", userAgent: null, isLocal: true };
const settled = () => vi.advanceTimersByTimeAsync(0);

let world: World;
let hub: SocketHub;
beforeEach(() => {
  vi.useFakeTimers();
  world = createWorld();
  hub = createTestHub(world);
});
afterEach(() => {
  hub.closeAll("restarting");
  vi.useRealTimers();
});

async function open(...messages: unknown[]) {
  const socket = new FakeSocket();
  const connection = hub.open(socket, { origin, token: "ada/1", expectsConnectionParams: false });
  for (const message of messages) connection.message(JSON.stringify(message));
  await settled();
  return { socket, connection };
}

test("another connection goes on with a quiet one's socket, and its client does not notice", async () => {
  world.topic.append("one");
  const { socket, connection } = await open(subscription(1, "notes"), subscription("two", "notes"));
  world.topic.append("two");
  const resting = connection.resting();
  connection.closed();
  world.topic.append("three");
  const told = () => socket.sent.map((text) => JSON.parse(text)).map(({ id, result }) => [id, result.id ?? result.type]);
  const before = told();
  expect(hub.counts()).toEqual({ connections: 0, subscriptions: 0 });

  const another = createTestHub(world);
  const context = { requestId: "", actor: actorOf("ada/1"), refusal: null, origin, token: "ada/1", world };
  const subscriptions = structuredClone(resting?.subscriptions ?? []);
  const resumed = another.resume(socket, { subscriptions, createContext: async () => context });
  resumed.message(JSON.stringify(query(3, "token")));
  await settled();
  world.topic.append("four");
  expect(told().slice(before.length).sort()).toEqual([
    [1, "3"],
    [1, "4"],
    [3, "data"],
    ["two", "3"],
    ["two", "4"],
  ]);
  resumed.message(JSON.stringify({ id: 1, method: "subscription.stop" }));
  expect(told().at(-1)).toEqual([1, "stopped"]);
  another.closeAll("restarting");
});

test("nothing rests that is not signed in yet, has a call under way, or follows what has no positions", async () => {
  const waiting = hub.open(new FakeSocket(), { origin, token: null, expectsConnectionParams: true });
  expect(waiting.resting()).toBeNull();
  expect((await open(mutation(1, "hold"))).connection.resting()).toBeNull();
  expect((await open(subscription(1, "notes"), subscription(2, "wait"))).connection.resting()).toBeNull();
  expect((await open(subscription(1, "notes"))).connection.resting()).not.toBeNull();
});

test("nothing rests that has not been read", async () => {
  const { socket, connection } = await open(subscription(1, "notes"));
  socket.isReading = false;
  for (let n = 0; n < 4; n++) world.topic.append("x".repeat(100_000));
  expect(connection.resting()).toBeNull();
  socket.read();
  vi.advanceTimersByTime(100);
  expect(connection.resting()?.subscriptions).toMatchObject([{ id: 1, lastEventId: "4" }]);
});
