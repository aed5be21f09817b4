import { readdir, readFile } from "node:fs/promises";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { ProviderError, type ProviderEvent } from "@parley/core/ports";
import { startUpstream } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redactedSignature } from "./messages.ts";
import { anthropicProvider } from "./provider.ts";

const folder = new URL("./recordings/", import.meta.url);
const names = (await readdir(folder)).sort();
const recordings = await Promise.all(
  names.map(async (name) => [name.replace(".sse", ""), await readFile(new URL(name, folder))] as const),
);

let upstream: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.stop();
});

/** What both readers have to agree on. */
interface Answer {
  text: string;
  thoughts: { text: string; signature: string | undefined }[];
  calls: { callId: string; name: string; input: unknown }[];
  /** The pieces of each call's input. */
  inputs: Record<string, string>;
  tokens: object | undefined;
  finishReason: string | undefined;
  failure: string | undefined;
}

describe.each(recordings)("a recording of %s", (_name, bytes) => {
  test("is the same for the SDK wherever it is cut in two", async () => {
    const expected = await readWithSdk([bytes]);
    expect(expected.text.length + expected.thoughts.length).toBeGreaterThan(0);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(await readWithOurs(pieces), `cut at ${cut}`).toEqual(expected);
    }
  });

  test("is the same for the SDK with the same cuts in many places, with either line ending", async () => {
    const random = randomFrom(20_261_121);
    for (let round = 0; round < 40; round++) {
      const ended = round % 2 === 0 ? bytes : Buffer.from(bytes.toString().replaceAll("\n", "\r\n"));
      const pieces = cutAtRandom(ended, random);
      expect(await readWithOurs(pieces), `round ${round}`).toEqual(await readWithSdk(pieces));
    }
  });

  test("is the same for the SDK over a socket, byte by byte", async () => {
    const script = { steps: [{ raw: bytes.toString() }], transport: { pieceBytes: 1 } };
    upstream.script(script, script);
    const [ours, sdk] = [await readWithOurs(null), await readWithSdk(null)];
    expect(ours).toEqual(sdk);
  });
});

/** Null for what the upstream says. */
type Pieces = Uint8Array[] | null;

function fetchOf(pieces: Pieces): typeof fetch {
  if (pieces === null) return fetch;
  return async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) if (piece.length > 0) controller.enqueue(new Uint8Array(piece));
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

async function readWithOurs(pieces: Pieces): Promise<Answer> {
  const provider = anthropicProvider({ keys: ["key"], baseUrl: upstream.url, models: [], fetch: fetchOf(pieces) });
  const answer = noAnswer();
  const request = {
    model: "claude-sonnet-5-5",
    system: null,
    messages: [{ role: "user" as const, parts: [{ type: "text" as const, text: "Hello" }] }],
    tools: [],
    temperature: null,
    topP: null,
    topK: null,
    maxTokens: 100,
    reasoning: "off" as const,
  };
  let thought = "";
  const read = (event: ProviderEvent) => {
    switch (event.type) {
      case "text":
        answer.text += event.text;
        break;
      case "reasoning":
        thought += event.text;
        if (event.signature === undefined) break;
        answer.thoughts.push({ text: thought, signature: event.signature });
        thought = "";
        break;
      case "tool-input":
        answer.inputs[event.callId] = (answer.inputs[event.callId] ?? "") + event.text;
        break;
      case "tool-call":
        answer.calls.push({ callId: event.callId, name: event.name, input: event.input });
        break;
      case "usage":
        answer.tokens = event.tokens;
        break;
      case "end":
        answer.finishReason = event.finishReason;
        break;
      case "ping":
        break;
    }
  };
  try {
    await provider.stream(request, { key: 0, signal: new AbortController().signal }, read);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    answer.failure = error.trouble;
  }
  return answer;
}

const finishReasons: Record<string, string> = {
  end_turn: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

async function readWithSdk(pieces: Pieces): Promise<Answer> {
  const client = new Anthropic({ apiKey: "key", baseURL: upstream.url, maxRetries: 0, fetch: fetchOf(pieces) });
  const stream = client.messages.stream({
    model: "claude-sonnet-5-5",
    max_tokens: 100,
    messages: [{ role: "user", content: "Hello" }],
  });
  const answer = noAnswer();
  stream.on("streamEvent", (event, { content, usage }) => {
    const block = event.type === "content_block_delta" ? content[event.index] : undefined;
    if (event.type === "content_block_delta" && event.delta.type === "input_json_delta" && block?.type === "tool_use") {
      if (event.delta.partial_json) answer.inputs[block.id] = (answer.inputs[block.id] ?? "") + event.delta.partial_json;
    }
    answer.text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
    answer.tokens = {
      input: usage.input_tokens,
      cacheRead: usage.cache_read_input_tokens ?? 0,
      cacheWrite: usage.cache_creation_input_tokens ?? 0,
      output: usage.output_tokens,
    };
  });
  try {
    const { content, stop_reason } = await stream.finalMessage();
    for (const block of content) {
      if (block.type === "thinking") answer.thoughts.push({ text: block.thinking, signature: block.signature });
      if (block.type === "redacted_thinking") answer.thoughts.push({ text: "", signature: redactedSignature(block.data) });
      if (block.type === "tool_use") answer.calls.push({ callId: block.id, name: block.name, input: block.input });
    }
    answer.finishReason = finishReasons[stop_reason ?? ""];
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    answer.failure = error.type === "overloaded_error" ? "overloaded" : `${error.type}`;
  }
  return answer;
}

function noAnswer(): Answer {
  return { text: "", thoughts: [], calls: [], inputs: {}, tokens: undefined, finishReason: undefined, failure: undefined };
}

function cutAtRandom(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces = [];
  let start = 0;
  while (start < bytes.length) {
    const end = start + 1 + Math.floor(random() ** 3 * 400);
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

/** Mulberry32. */
function randomFrom(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
