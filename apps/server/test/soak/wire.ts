import { Agent, type IncomingMessage, request } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { StringDecoder } from "node:string_decoder";
import superjson, { type SuperJSONResult } from "superjson";
import { WebSocket } from "ws";

export type By = "websocket" | "sse";

export interface Reader {
  /** The wire's own text, as it came: for whoever looks for what should not be there. */
  raw(text: string): void;
  event(id: string, data: unknown): void;
  /** Once: null when the server said that there is no more, otherwise why there is no more. */
  over(refusal: Refusal | "lost" | null): void;
}

export interface Refusal {
  reason: string;
  message: string;
}

export interface Subscription {
  close(): void;
}

interface Place {
  port: number;
  token: string;
}

const agent = new Agent({ keepAlive: false });

/** A subscription as tRPC's clients make one, without their patience: one connection, and its end is told. */
export function subscribe(by: By, place: Place, call: { path: string; input: object }, reader: Reader): Subscription {
  let isOver = false;
  const once: Reader = {
    raw: (text) => reader.raw(text),
    event: (id, data) => {
      if (!isOver) reader.event(id, data);
    },
    over(refusal) {
      if (isOver) return;
      isOver = true;
      reader.over(refusal);
    },
  };
  return by === "websocket" ? overSocket(place, call, once) : overSse(place, call, once);
}

function overSocket({ port, token }: Place, { path, input }: { path: string; input: object }, reader: Reader): Subscription {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/trpc`, { headers: { authorization: `Bearer ${token}` }, agent });
  socket.on("open", () => {
    socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path, input: superjson.serialize(input) } }));
  });
  socket.on("message", (data) => {
    const frame = String(data);
    reader.raw(frame);
    if (frame === "PING") return socket.send("PONG");
    const message: {
      error?: SuperJSONResult;
      result?: { type: string; id?: string; data?: SuperJSONResult };
    } = JSON.parse(frame);
    const { error, result } = message;
    if (error) reader.over(readRefusal(error));
    else if (result?.type === "stopped") reader.over(null);
    else if (result?.type === "data" && result.data) {
      const { id, data } = superjson.deserialize<{ id: string; data: unknown }>(result.data);
      reader.event(id, data);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => reader.over("lost"));
  return { close: () => socket.terminate() };
}

function overSse({ port, token }: Place, { path, input }: { path: string; input: object }, reader: Reader): Subscription {
  const query = encodeURIComponent(JSON.stringify(superjson.serialize(input)));
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const call = request({ host: "127.0.0.1", port, path: `/trpc/${path}?input=${query}`, headers, agent });
  call.on("response", (response) => {
    response.on("error", () => {});
    response.on("close", () => reader.over("lost"));
    if (response.statusCode === 200) readEvents(response, reader);
    else
      void readRefused(response).then(
        (refusal) => reader.over(refusal),
        () => reader.over("lost"),
      );
  });
  call.on("error", () => reader.over("lost"));
  call.on("close", () => reader.over("lost"));
  call.end();
  return { close: () => call.destroy() };
}

function readEvents(response: IncomingMessage, reader: Reader) {
  const decoder = new StringDecoder("utf8");
  let begun = "";
  response.on("data", (chunk: Buffer) => {
    const text = decoder.write(chunk);
    reader.raw(text);
    const events = (begun + text).split("\n\n");
    begun = events.pop() ?? "";
    for (const event of events) readEvent(event, reader);
  });
}

function readEvent(event: string, reader: Reader) {
  const fields = new Map(event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  const data = fields.get("data") ?? "";
  const type = fields.get("event") ?? "message";
  if (type === "return") reader.over(null);
  else if (type === "serialized-error") reader.over(readRefusal(JSON.parse(data)));
  else if (type === "message") reader.event(fields.get("id") ?? "", superjson.deserialize(JSON.parse(data)));
}

/** A mutation. Lost when the connection broke before the answer was here: nobody knows whether it happened. */
export async function mutate<Output>(
  { port, token }: Place,
  path: string,
  input: object,
): Promise<{ output: Output } | { refusal: Refusal | "lost" }> {
  const body = JSON.stringify(superjson.serialize(input));
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  return new Promise((resolve) => {
    const lost = () => resolve({ refusal: "lost" });
    const call = request({ host: "127.0.0.1", port, path: `/trpc/${path}`, method: "POST", headers, agent });
    call.on("response", async (response) => {
      if (response.statusCode !== 200) return readRefused(response).then((refusal) => resolve({ refusal }), lost);
      try {
        const answer: { result: { data: SuperJSONResult } } = JSON.parse(await textOf(response));
        resolve({ output: superjson.deserialize<Output>(answer.result.data) });
      } catch {
        lost();
      }
    });
    call.on("error", lost);
    call.on("close", lost);
    call.end(body);
  });
}

async function readRefused(response: IncomingMessage): Promise<Refusal> {
  const answer: { error: SuperJSONResult } = JSON.parse(await textOf(response));
  return readRefusal(answer.error);
}

function readRefusal(error: SuperJSONResult): Refusal {
  const { message, data } = superjson.deserialize<{ message: string; data: { reason?: string } }>(error);
  return { reason: data.reason ?? "unknown", message };
}
