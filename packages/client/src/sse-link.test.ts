import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { TRPCClientError } from "@trpc/client";
import superjson from "superjson";
import { afterEach, expect, test } from "vitest";
import { createParley, isParleyError } from "./index.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

const end = { type: "run-end", status: "completed", finishReason: "stop", length: 0, receipt: {} };
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that gives each request its own answer, the last one to all that follow. */
async function serve(...answers: Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    void answer?.(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, requests };
}

function stream(events: string, then: (response: ServerResponse) => unknown = (response) => response.end()): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: connected\ndata: {}\n\n${events}`, () => then(response));
  };
}

function tracked(id: string, event: object): string {
  return `data: ${JSON.stringify(superjson.serialize(event))}\nid: ${id}\n\n`;
}

const delta = (offset: number, text: string) => ({ type: "text-delta", offset, text });
const ended = "event: return\ndata: \n\n";

function refusal(status: number, body: string): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  };
}

const error = (reason: string, httpStatus: number) =>
  JSON.stringify({ error: superjson.serialize({ message: reason, code: -32001, data: { reason, httpStatus, requestId: "1" } }) });

async function collect(url: string, token?: () => string) {
  const parley = createParley({ url, transport: "sse", ...(token && { token }) });
  const types: string[] = [];
  for await (const event of parley.chat.follow("run")) types.push(event.type === "text-delta" ? event.text : event.type);
  return types;
}

test("a lost connection is opened again where it ended, with the token of that moment", async () => {
  let asked = 0;
  const { url, requests } = await serve(
    stream(tracked("7", delta(0, "a")), (response) => response.destroy()),
    stream(tracked("8", delta(1, "b")) + tracked("9", end)),
  );
  expect(await collect(url, () => `token-${++asked}`)).toEqual(["a", "b", "run-end"]);
  expect(requests.map(({ headers }) => [headers.authorization, headers["last-event-id"]])).toEqual([
    // The first one is looked at beforehand.
    ["Bearer token-2", undefined],
    ["Bearer token-3", "7"],
  ]);
});

test("a stream that has gone quiet is opened again", async () => {
  const quiet: Answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: connected\ndata: {"reconnectAfterInactivityMs":50}\n\n');
  };
  const { url, requests } = await serve(quiet, stream(tracked("1", end)));
  expect(await collect(url)).toEqual(["run-end"]);
  expect(requests).toHaveLength(2);
});

test("what the server refuses is an error, and is not asked again", async () => {
  const { url, requests } = await serve(refusal(401, error("token_expired", 401)));
  const failure = await collect(url).catch((cause: unknown) => cause);
  expect(isParleyError(failure) && failure.reason).toBe("token_expired");
  expect(requests).toHaveLength(1);
});

test("an error in the middle of a stream is told after what came before it", async () => {
  const failed = `event: serialized-error\ndata: ${JSON.stringify(JSON.parse(error("not_found", 404)).error)}\n\n`;
  const { url } = await serve(stream(tracked("1", delta(0, "a")) + failed));
  await expect(collect(url)).rejects.toMatchObject({ data: { reason: "not_found" } });
});

test("a server that restarts is asked until it is there again", async () => {
  const { url, requests } = await serve(
    refusal(503, error("unavailable", 503)),
    refusal(502, "<h1>Bad gateway</h1>"),
    stream(tracked("1", end)),
  );
  expect(await collect(url)).toEqual(["run-end"]);
  expect(requests).toHaveLength(3);
});

test("a new token that cannot be had while the network is away is asked for again", async () => {
  const { url, requests } = await serve(
    stream(tracked("7", delta(0, "a")), (response) => response.destroy()),
    stream(tracked("8", end)),
  );
  let asked = 0;
  const token = () => {
    asked++;
    // After the look beforehand and the first connection.
    if (asked === 3 || asked === 4) throw TRPCClientError.from(new TypeError("fetch failed"));
    return "token";
  };
  expect(await collect(url, token)).toEqual(["a", "run-end"]);
  expect(requests).toHaveLength(2);
});

test("a page that is no Parley server is an error, though not one of Parley's", async () => {
  const { url } = await serve(refusal(404, "<h1>Not found</h1>"));
  const failure = await collect(url).catch((cause: unknown) => cause);
  expect(failure).toMatchObject({ message: "The server answered with status 404" });
  expect(isParleyError(failure)).toBe(false);
});

test("bytes may arrive as they please", async () => {
  const bytes = Buffer.from(tracked("1", delta(0, "Grüße 🌍")).replaceAll("\n", "\r\n") + ended);
  const { url } = await serve(
    stream("", async (response) => {
      for (const byte of bytes) await new Promise((resolve) => response.write(Uint8Array.of(byte), resolve));
      response.end();
    }),
  );
  expect(await collect(url)).toEqual(["Grüße 🌍"]);
});

test("closing the client ends the loop without an error", async () => {
  const { url } = await serve(stream(tracked("1", delta(0, "a")), () => {}));
  const parley = createParley({ url, transport: "sse" });
  const seen: string[] = [];
  for await (const event of parley.chat.follow("run")) {
    seen.push(event.type);
    await parley.close();
  }
  expect(seen).toEqual(["text-delta"]);
});

test("a loop that is over before it begins asks nothing", async () => {
  const { url, requests } = await serve(stream(tracked("1", end)));
  const parley = createParley({ url, transport: "sse" });
  const ending = new Promise<void>((onComplete) => {
    parley.api.chat.follow.subscribe({ runId: "run" }, { signal: AbortSignal.abort(), onComplete });
  });
  await ending;
  for await (const _ of parley.chat.follow("run", { signal: AbortSignal.abort() })) expect.unreachable();
  expect(requests).toHaveLength(0);
});
