import { once } from "node:events";
import { createServer } from "node:http";
import { listenLocally } from "@parley/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { TextSocket } from "./text-socket.ts";

const server = createServer();
let url: string;
const sockets = new WebSocketServer({ noServer: true });
beforeAll(async () => {
  ({ url } = await listenLocally(server));
});
afterAll(() => server.close().closeAllConnections());

async function connect() {
  const opened = new Promise<TextSocket>((resolve) => {
    server.once("upgrade", (request, stream, head) => {
      sockets.handleUpgrade(request, stream, head, (socket) => resolve(new TextSocket(socket, stream)));
    });
  });
  const client = new WebSocket(url.replace("http", "ws"));
  const texts: string[] = [];
  client.on("message", (data) => texts.push(data.toString()));
  return { socket: await opened, client, texts };
}

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 300_000];

test.each(["x", "é", "ש", "🌍"])("texts of %s arrive as they were sent, of whatever length and in order", async (letter) => {
  const { socket, client, texts } = await connect();
  const sent = lengths.map((length) => letter.repeat(length));
  for (const text of sent) socket.send(text);
  await expect.poll(() => texts.length).toBe(sent.length);
  expect(texts.every((text, index) => text === sent[index])).toBe(true);
  client.terminate();
});

test("half a letter arrives as one that cannot be read", async () => {
  const { socket, client, texts } = await connect();
  socket.send("a\ud83c");
  await expect.poll(() => texts).toEqual(["a\ufffd"]);
  client.terminate();
});

test("what is sent before it closes arrives, and nothing is sent after that", async () => {
  const { socket, client, texts } = await connect();
  socket.send("before");
  socket.close(4_401, "session_ended");
  socket.send("after");
  expect(await once(client, "close")).toEqual([4_401, Buffer.from("session_ended")]);
  expect(texts).toEqual(["before"]);
  socket.send("much later");
});

test("what the network has not taken is counted", async () => {
  const { socket, client } = await connect();
  client.pause();
  const closed = once(client, "close");
  expect(socket.bufferedAmount).toBe(0);
  for (let count = 0; count < 200; count++) socket.send("x".repeat(100_000));
  expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
  socket.terminate();
  client.resume();
  await closed;
});
