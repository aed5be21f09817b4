import { type BodySink, followBody, ProviderError } from "@parley/core/ports";
import { describe, expect, test, vi } from "vitest";
import { createSseReader, readEvents, type SseEvent } from "./sse.ts";

const encoder = new TextEncoder();

const streams: Record<string, { text: string; events: SseEvent[] }> = {
  "two events": {
    text: 'event: ping\ndata: {"a":1}\n\nevent: text\ndata: שלום 👩🏽‍🚀 עולם\n\n',
    events: [
      { event: "ping", data: '{"a":1}' },
      { event: "text", data: "שלום 👩🏽‍🚀 עולם" },
    ],
  },
  "data of several lines": {
    text: "data: a\ndata:b\ndata:  c\ndata\n\n",
    events: [{ event: "", data: "a\nb\n c\n" }],
  },
  "comments, fields that nobody asked for, and a space before the name": {
    text: ": hello\n:\nid: 7\nretry: 10\n data: no\ndatas: no\nevents: no\ndata: yes\nevent\n\n",
    events: [{ event: "", data: "yes" }],
  },
  "a byte order mark, only at the start": {
    text: "\ufeffdata: \ufeffa\n\n\ufeffdata: b\n\ndata: c\n\n",
    events: [
      { event: "", data: "\ufeffa" },
      { event: "", data: "c" },
    ],
  },
  "an event without data, and data without a value": {
    text: "event: nothing\n\ndata:\n\n\n\ndata: a\n\n",
    events: [
      { event: "", data: "" },
      { event: "", data: "a" },
    ],
  },
  "an end without a blank line": {
    text: "data: a\n\ndata: b\n",
    events: [{ event: "", data: "a" }],
  },
  "an end within a line": {
    text: "data: a\n\nevent: text\ndata: 👩🏽‍🚀",
    events: [{ event: "", data: "a" }],
  },
};

describe.each(Object.entries(streams))("%s", (_name, { text, events }) => {
  test.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("is the same wherever it is cut, with %s", (_ending, newline) => {
    const bytes = encoder.encode(text.replaceAll("\n", newline));
    expect(read([bytes])).toEqual(events);
    expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(events);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        const got = read(pieces);
        if (!isEqual(got, events)) expect.fail(`cut at ${first} and ${second}: ${JSON.stringify(got)}`);
      }
    }
  });
});

test("line endings may be mixed", () => {
  expect(read([encoder.encode("data: a\r\rdata: b\n\r\ndata: c\r\n\ndata: d\n\r")])).toEqual(
    ["a", "b", "c", "d"].map((data) => ({ event: "", data })),
  );
});

test("an event is handed on with the byte that ends it, also where that is a carriage return", () => {
  const reader = createSseReader();
  expect(reader.push(encoder.encode("data: a\r\n\r"))).toEqual([{ event: "", data: "a" }]);
  expect(reader.push(encoder.encode("\ndata: b\r\n\r\n"))).toEqual([{ event: "", data: "b" }]);
});

test("bytes that are no text do not stop it", () => {
  const reader = createSseReader();
  expect(reader.push(Uint8Array.of(...encoder.encode("data: a"), 0xff, 0xe2, 0x82, 10, 10))).toEqual([
    { event: "", data: "a\ufffd\ufffd" },
  ]);
});

test.each([
  ["line", new Uint8Array(64 * 1024).fill(97)],
  ["event", encoder.encode(`data: ${"a".repeat(64 * 1024)}\n`)],
])("an endless %s is refused", (_kind, piece) => {
  const reader = createSseReader();
  const pushAll = () => {
    for (let count = 0; count < 200; count++) reader.push(piece);
  };
  expect(pushAll).toThrow(ProviderError);
  expect(pushAll).toThrow(expect.objectContaining({ trouble: "invalid_stream" }));
});

describe("readEvents", () => {
  const { signal } = new AbortController();

  test("hands on together what came together", async () => {
    const { body, send, close } = source();
    send("data: a\n\ndata: b\n\nda");
    send("ta: c\n\n");
    close();
    const batches: string[][] = [];
    await readEvents(body, { signal, take: (batch) => batches.push(batch.map(({ data }) => data)) });
    expect(batches).toEqual([["a", "b"], ["c"]]);
  });

  test("takes chunks without a promise each from a body that offers them", async () => {
    let told: BodySink | undefined;
    let isStopped = false;
    const stop = () => {
      isStopped = true;
    };
    const follow = (sink: BodySink) => {
      told = sink;
      return { stop };
    };
    const taken: string[] = [];
    const body = Object.assign(new ReadableStream<Uint8Array>(), { [followBody]: follow });
    const read = readEvents(body, { signal, take: (batch) => taken.push(...batch.map(({ data }) => data)) });
    told?.chunk(encoder.encode("data: a\n\ndata: b\n\n"));
    expect(taken).toEqual(["a", "b"]);
    told?.end();
    await read;
    expect(isStopped).toBe(false);
  });

  test("hands on an empty array where there is no event yet, as a sign of life", async () => {
    const { body, send, close } = source();
    send(": thinking\n\n");
    send("data: a");
    send("\n\n");
    close();
    const batches: number[] = [];
    await readEvents(body, { signal, take: (batch) => batches.push(batch.length) });
    expect(batches).toEqual([0, 0, 1]);
  });

  test("ends with the last event, and waits on its own for the end of the body", async () => {
    const { body, send, drained } = source();
    const taken: string[] = [];
    const phase = () => (taken.includes("end") ? "over" : "open");
    send("data: a\n\n");
    send("data: end\n\n");
    send("data: after the end\n\n");
    await readEvents(body, { signal, phase, take: (batch) => taken.push(...batch.map(({ data }) => data)) });
    await drained;
    expect(taken).toEqual(["a", "end"]);
  });

  test("is left by an answer that closes for longer than a second, whatever keeps the connection alive", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { body, send, cancelled } = source();
      const batches: number[] = [];
      const read = readEvents(body, { signal, phase: () => "closing", take: (batch) => batches.push(batch.length) });
      send("data: last\n\n");
      await vi.advanceTimersByTimeAsync(900);
      send(": ping\n\n");
      await vi.advanceTimersByTimeAsync(99);
      expect(batches).toEqual([1, 0]);
      expect(vi.getTimerCount()).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      await read;
      await cancelled;
    } finally {
      vi.useRealTimers();
    }
  });

  test("cancels the body where what it says cannot be taken", async () => {
    const { body, send, cancelled } = source();
    send("data: a\n\n");
    const take = () => {
      throw new Error("no");
    };
    await expect(readEvents(body, { signal, take })).rejects.toThrow("no");
    await cancelled;
  });

  test("cancels the body and ends when the signal aborts, while it waits", async () => {
    const { body, send, cancelled } = source();
    const abort = new AbortController();
    const taken: number[] = [];
    const read = readEvents(body, { signal: abort.signal, take: (batch) => taken.push(batch.length) });
    send("data: a\n\n");
    await expect.poll(() => taken).toEqual([1]);
    abort.abort();
    await read;
    await cancelled;
  });

  test("reads nothing where the signal is aborted already, and cancels the body", async () => {
    const { body, send, cancelled } = source();
    send("data: a\n\n");
    const take = () => expect.unreachable();
    await readEvents(body, { signal: AbortSignal.abort(), take });
    await cancelled;
  });

  test("cancels the body of which it can make nothing", async () => {
    const { body, send, cancelled } = source();
    send("data: a".padEnd(9 * 1024 * 1024));
    await expect(readEvents(body, { signal, take() {} })).rejects.toMatchObject({ trouble: "invalid_stream" });
    await cancelled;
  });

  test("passes on the error of a body that breaks", async () => {
    const { body, fail } = source();
    fail(new TypeError("terminated"));
    await expect(readEvents(body, { signal, take() {} })).rejects.toThrow("terminated");
  });
});

function read(pieces: Uint8Array[]): SseEvent[] {
  const reader = createSseReader();
  return pieces.flatMap((piece) => reader.push(piece));
}

/** Much cheaper than an assertion for each of a hundred thousand cuts. */
function isEqual(one: SseEvent[], other: SseEvent[]): boolean {
  return (
    one.length === other.length && one.every(({ event, data }, at) => event === other[at]?.event && data === other[at]?.data)
  );
}

function source() {
  let onCancel = () => {};
  let onDrained = () => {};
  const cancelled = new Promise<void>((resolve) => {
    onCancel = resolve;
  });
  /** Somebody waits for more than was sent. */
  const drained = new Promise<void>((resolve) => {
    onDrained = resolve;
  });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull: () => onDrained(),
      cancel: () => onCancel(),
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    cancelled,
    drained,
    send: (text: string) => controller?.enqueue(encoder.encode(text)),
    close: () => controller?.close(),
    fail: (error: Error) => controller?.error(error),
  };
}
