import { inspect } from "node:util";
import { type GenerateRequest, ProviderError, type ProviderEvent } from "@parley/core/ports";
import { type Script, startUpstream, type Upstream } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { listen } from "../shared/stream-testing.ts";
import { anthropicProvider } from "./provider.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.stop();
});

const canary = "sk-ant-canary-0123456789";

describe("an answer", () => {
  test("is text, what it cost, and the vendor's last word", async () => {
    const { events, failure } = await ask({
      steps: [{ text: "Hello, " }, { text: "שלום 👋" }],
      usage: { input: 12, cacheRead: 7, cacheWrite: 5, output: 9 },
    });
    expect(failure).toBeUndefined();
    expect(textIn(events)).toBe("Hello, שלום 👋");
    expect(tokensIn(events)).toEqual({ input: 12, cacheRead: 7, cacheWrite: 5, output: 9 });
    expect(events.at(-1)).toEqual({ type: "end", finishReason: "stop" });
  });

  test("tells what the question cost before its first word", async () => {
    const { events } = await ask({ steps: [{ text: "Hello" }], usage: { input: 12, output: 9 } });
    expect(events.findIndex(({ type }) => type === "usage")).toBeLessThan(events.findIndex(({ type }) => type === "text"));
    expect(events[0]).toMatchObject({ tokens: { input: 12 } });
  });

  test("has thoughts, signed when they are over, and thoughts that nobody may read", async () => {
    const secret = { type: "redacted_thinking", data: "EmwKAhgB" };
    const { events } = await ask(
      raw(
        block(0, { type: "thinking", thinking: "", signature: "" }),
        delta(0, { type: "thinking_delta", thinking: "Let me " }),
        delta(0, { type: "thinking_delta", thinking: "see" }),
        delta(0, { type: "signature_delta", signature: "sig==" }),
        stop(0),
        block(1, secret),
        stop(1),
        ...ended("end_turn"),
      ),
    );
    const thoughts = events.flatMap((event) => (event.type === "reasoning" ? [event] : []));
    expect(thoughts.map(({ text }) => text).join("")).toBe("Let me see");
    expect(thoughts.slice(-2)).toEqual([
      { type: "reasoning", text: "", signature: "sig==" },
      { type: "reasoning", text: "", signature: "redacted:EmwKAhgB" },
    ]);
  });

  test("has calls of tools, with their input as it comes and then whole", async () => {
    const input = { city: "ירושלים", days: [1, 2] };
    const { events } = await ask({ steps: [{ toolCall: { id: "toolu_1", name: "weather", input, pieces: 5 } }] });
    const pieces = events.flatMap((event) => (event.type === "tool-input" ? [event.text] : []));
    expect(pieces.length).toBeGreaterThan(0);
    expect(JSON.parse(pieces.join(""))).toEqual(input);
    expect(events).toContainEqual({ type: "tool-call", callId: "toolu_1", name: "weather", input });
    expect(events.at(-1)).toEqual({ type: "end", finishReason: "tool_calls" });
  });

  test("has calls without an input", async () => {
    const tool = (id: string) => ({ type: "tool_use", id, name: "now", input: {} });
    const nothing = { type: "input_json_delta", partial_json: "" };
    const { events } = await ask(
      raw(block(0, tool("a")), delta(0, nothing), stop(0), block(1, tool("b")), stop(1), ...ended("tool_use")),
    );
    expect(events.filter(({ type }) => type === "tool-call")).toEqual([
      { type: "tool-call", callId: "a", name: "now", input: {} },
      { type: "tool-call", callId: "b", name: "now", input: {} },
    ]);
  });

  test("of kinds that nobody knows yet, and a ping, are signs of life", async () => {
    const unknown = [{ type: "new_event" }, block(0, { type: "server_tool_use", id: "x", name: "web_search" }), stop(0)];
    for (const event of [{ type: "ping" }, ...unknown]) {
      const { events, call } = await begin({ steps: [{ raw: frame(event) }, { stall: true }] });
      expect(await events.next()).toEqual({ done: false, value: { type: "ping" } });
      await events.return();
      await call.closed;
    }
  });

  test("leaves as one event where its pieces came at once", async () => {
    const pieces = ["a", "b", "c"].map((text) => frame(delta(0, { type: "text_delta", text }))).join("");
    const { events } = await ask({ steps: [{ raw: pieces + ended("end_turn").map(frame).join("") }] });
    expect(events[0]).toEqual({ type: "text", text: "abc" });
  });

  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["refusal", "content_filter"],
    ["pause_turn", "other"],
    ["something_new", "other"],
  ])("that stops for %s ends with %s", async (reason, finishReason) => {
    const { events } = await ask(raw(...ended(reason)));
    expect(events.at(-1)).toEqual({ type: "end", finishReason });
  });

  test.each(["max_tokens", "refusal"])("that is cut short within a call by %s has not made the call", async (reason) => {
    const tool = block(0, { type: "tool_use", id: "a", name: "pay", input: {} });
    const piece = delta(0, { type: "input_json_delta", partial_json: '{"amount": 10' });
    for (const events of [
      [tool, piece, stop(0)],
      [tool, piece],
    ]) {
      const answer = await ask(raw(...events, ...ended(reason)));
      expect(answer.failure).toBeUndefined();
      expect(answer.events.some(({ type }) => type === "tool-call")).toBe(false);
      expect(answer.events.at(-1)).toMatchObject({ type: "end" });
    }
  });

  test("without the vendor's last word has no end", async () => {
    const { events, failure } = await ask({ steps: [{ text: "Hello" }, { silence: true }] });
    expect(failure).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(["usage", "text"]);
  });

  test("keeps what came before its connection broke", async () => {
    const { events, failure } = await ask({ steps: [{ text: "Hello" }, { cut: true }] });
    expect(textIn(events)).toBe("Hello");
    expect(failure).toMatchObject({ trouble: "network" });
  });

  test.each([
    ["overloaded_error", "overloaded"],
    ["api_error", "overloaded"],
    ["rate_limit_error", "rate"],
    ["invalid_request_error", "bad_request"],
    ["authentication_error", "auth"],
    ["permission_error", "auth"],
    ["billing_error", "quota"],
    ["something_new", "overloaded"],
  ])("that breaks off with %s is %s, and keeps what came at once with it", async (type, trouble) => {
    const text = frame(delta(0, { type: "text_delta", text: "Hello" }));
    const error = frame({ type: "error", error: { type, message: `No more, ${canary}` } });
    const { events, failure } = await ask({ steps: [{ raw: text + error }] });
    expect(textIn(events)).toBe("Hello");
    expect(failure).toMatchObject({ trouble, message: `Claude answered ${type} No more, [key]` });
  });

  test.each([
    ["that is no JSON", "data: {not json}\n\n"],
    ["that is no object", "data: 12\n\n"],
    ["without its text", frame(delta(0, { type: "text_delta" }))],
    ["with a number for a text", frame(delta(0, { type: "text_delta", text: 5 }))],
    ["with a call without a name", frame(block(0, { type: "tool_use", id: "a" }))],
    [
      "with a call that is no JSON",
      [
        block(0, { type: "tool_use", id: "a", name: "pay", input: {} }),
        delta(0, { type: "input_json_delta", partial_json: '{"amount": 10 // ten' }),
        stop(0),
        ...ended("tool_use"),
      ]
        .map(frame)
        .join(""),
    ],
    ["that never ends", `data: ${"x".repeat(9 * 1024 * 1024)}`],
  ])("%s is an invalid stream", async (_what, bytes) => {
    const { events, failure } = await ask({ steps: [{ raw: bytes }] });
    expect(failure).toMatchObject({ trouble: "invalid_stream" });
    expect(events.some(({ type }) => type === "end" || type === "tool-call")).toBe(false);
  });

  test("of nothing but strange shapes is read without a crash", async () => {
    const shapes = [
      null,
      1,
      "x",
      [],
      {},
      { delta: null },
      { type: "message_start" },
      { type: "message_delta", delta: 3, usage: "x" },
    ];
    const { failure } = await ask(
      raw(
        ...shapes.filter((shape) => typeof shape === "object" && shape !== null),
        { type: "content_block_start", content_block: null },
        { type: "content_block_delta", delta: [] },
        { type: "content_block_stop", index: { a: 1 } },
        ...ended("end_turn"),
      ),
    );
    expect(failure).toBeUndefined();
    const { failure: error } = await ask(raw({ type: "error", error: null }));
    expect(error).toMatchObject({ trouble: "overloaded" });
  });
});

describe("a refusal", () => {
  const spent = "Your credit balance is too low to access the Anthropic API.";
  const limit = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.";

  test.each<[number, string, string, string?]>([
    [400, "invalid_request_error", "bad_request"],
    [400, "invalid_request_error", "quota", spent],
    [400, "invalid_request_error", "quota", limit],
    [400, "invalid_request_error", "content_filter", "Output blocked by content filtering policy"],
    [401, "authentication_error", "auth"],
    [402, "billing_error", "quota"],
    [403, "permission_error", "auth"],
    [404, "not_found_error", "bad_request"],
    [413, "request_too_large", "bad_request"],
    [422, "invalid_request_error", "bad_request"],
    [429, "rate_limit_error", "rate"],
    [429, "rate_limit_error", "quota", "Number of request tokens has exceeded your daily rate limit"],
    [500, "api_error", "overloaded"],
    [504, "timeout_error", "overloaded"],
    [529, "overloaded_error", "overloaded"],
  ])("of %i %s is %s", async (status, type, trouble, message = "No") => {
    const { failure, events } = await ask({ refusal: { status, type, message } });
    expect(events).toEqual([]);
    expect(failure).toMatchObject({ trouble, status });
    expect(failure?.message).toContain(`Claude answered ${status} ${type} ${message}`);
  });

  test.each([
    ["contract_spend_limit_reached", "quota"],
    ["enforced_spend_limit_reached", "quota"],
    ["ramp_limit_exceeded", "rate"],
    ["organization_on_hold", "auth"],
  ])("with the code %s is %s", async (error_code, trouble) => {
    const status = error_code === "organization_on_hold" ? 400 : 429;
    const type = status === 429 ? "rate_limit_error" : "invalid_request_error";
    const body = JSON.stringify({ type: "error", error: { type, message: "No", details: { error_code } } });
    const headers = { "content-type": "application/json" };
    expect(await ask({ refusal: { status, body, headers } })).toMatchObject({ failure: { trouble, status } });
  });

  test("by something in between, in its own words, goes by its status", async () => {
    const body = `<html>Bad gateway ${canary}</html>`;
    const { failure } = await ask({ refusal: { status: 502, body, headers: { "content-type": "text/html" } } });
    expect(failure).toMatchObject({ trouble: "overloaded", status: 502 });
    expect(failure?.message).toContain("Claude answered 502 <html>Bad gateway [key]</html>");
  });

  test("says when to come back", async () => {
    expect(await ask({ refusal: { status: 429, retryAfterSeconds: 7 } })).toMatchObject({ failure: { retryAfterMs: 7_000 } });
    expect(await ask({ refusal: { status: 429 } })).toMatchObject({ failure: { retryAfterMs: undefined } });
  });

  test("is not asked for twice", async () => {
    const before = upstream.calls.length;
    await ask({ refusal: { status: 529, headers: { "x-should-retry": "true" } } });
    expect(upstream.calls.length - before).toBe(1);
  });

  test("has no key in it, wherever the vendor puts it", async () => {
    const message = `invalid x-api-key: ${canary}`;
    const { failure } = await ask({ refusal: { status: 401, message, headers: { "x-echo": canary } } });
    expect(failure?.message).toContain("invalid x-api-key: [key]");
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(canary);
  });
});

describe("a connection", () => {
  test("that cannot be made is the network's fault", async () => {
    const gone = await startUpstream();
    await gone.stop();
    const provider = anthropicProvider({ keys: [canary], baseUrl: gone.url, models: [] });
    const { failure } = await collect(listen(provider, question()));
    expect(failure).toMatchObject({ trouble: "network", message: "The connection to Claude failed (ECONNREFUSED)" });
  });

  test.each<[string, Script]>([
    ["while nothing has come", { steps: [{ stall: true }] }],
    ["after the headers", { steps: [{ stall: true }], transport: { headersAtOnce: true } }],
    ["in the middle of the answer", { steps: [{ text: "Hello" }, { stall: true }] }],
    ["while it speaks", { steps: [{ stream: { perSecond: 1_000 } }] }],
  ])("is closed when the call is aborted %s", async (_when, script) => {
    const { events, abort, call } = await begin(script);
    if (script.steps?.some((step) => "text" in step || "stream" in step)) {
      while ((await events.next()).value?.type !== "text");
    }
    const next = events.next();
    abort.abort();
    expect(await call.closed).toBe("by-client");
    for (let result = await next; !result.done; result = await events.next());
  });

  test("is not even made for a call that was aborted before", async () => {
    const before = upstream.calls.length;
    const { events, failure } = await collect(listen(provider(), question(), { signal: AbortSignal.abort() }));
    expect({ events, failure }).toEqual({ events: [], failure: undefined });
    expect(upstream.calls.length).toBe(before);
  });

  test("is closed when nobody reads on", async () => {
    const { events, call } = await begin({ steps: [{ text: "Hello" }, { stall: true }] });
    await events.next();
    await events.return();
    expect(await call.closed).toBe("by-client");
  });

  test("is closed when the answer cannot be read", async () => {
    const { events, call } = await begin({ steps: [{ raw: "data: {\n\n" }, { stall: true }] });
    await expect(events.next()).rejects.toThrow(ProviderError);
    expect(await call.closed).toBe("by-client");
  });

  test("is used again after the vendor's last word, and not waited for", async () => {
    const last = ended("end_turn").map(frame).join("");
    const { events, call } = await begin({ steps: [{ raw: last }] });
    for (let result = await events.next(); !result.done; result = await events.next());
    expect(await call.closed).toBe("finished");

    const open = await begin({ steps: [{ raw: last }, { stall: true }] });
    for (let result = await open.events.next(); !result.done; result = await open.events.next());
    expect(await open.call.closed).toBe("by-client");
  });
});

describe("a key", () => {
  test("is chosen by its position", async () => {
    const two = anthropicProvider({ keys: ["first", "second"], baseUrl: upstream.url, models: [] });
    expect(two.keys).toBe(2);
    for (const [key, name] of [
      [1, "second"],
      [0, "first"],
      [1, "second"],
    ] as const) {
      await collect(listen(two, question(), { key }));
      expect(await upstream.nextCall({ key: name })).toMatchObject({ headers: { authorization: `Bearer ${name}` } });
    }
  });

  test.each([
    ["is not there", [], "Claude has no key 1"],
    ["cannot be sent", ["sk-ant-\nsecret"], "Key 1 of Claude has characters that no key has"],
  ])("that %s is told without it", async (_what, keys, message) => {
    const broken = anthropicProvider({ keys, baseUrl: upstream.url, models: [] });
    const { failure } = await collect(listen(broken, question()));
    expect(failure).toMatchObject({ trouble: "auth", message });
  });

  test("and nothing else is what the vendor gets: no variable of this machine, no particulars of it", async () => {
    vi.stubEnv("ANTHROPIC_API_KEY", "sk-environment");
    vi.stubEnv("ANTHROPIC_AUTH_TOKEN", "token-environment");
    vi.stubEnv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1");
    vi.stubEnv("ANTHROPIC_CUSTOM_HEADERS", "x-environment: 1\nauthorization: Bearer other\nanthropic-version: 1999-01-01");
    vi.stubEnv("ANTHROPIC_LOG", "debug");
    const debug = vi.spyOn(console, "debug");
    try {
      await ask({ steps: [{ text: "Hello" }] });
    } finally {
      vi.unstubAllEnvs();
    }
    const { headers } = await lastCall();
    expect(headers).toMatchObject({ authorization: `Bearer ${canary}`, "x-api-key": canary, "anthropic-version": "2026-10-21" });
    expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual(["x-api-key"]);
    expect(debug).not.toHaveBeenCalled();
  });

  test("goes to Anthropic itself where there is no other address", async () => {
    const asked: { url: string; headers: Headers }[] = [];
    const direct = anthropicProvider({
      keys: [canary],
      baseUrl: null,
      models: [],
      fetch: async (url, init) => {
        asked.push({ url: String(url), headers: new Headers(init?.headers) });
        return new Response(ended("end_turn").map(frame).join(""));
      },
    });
    await collect(listen(direct, question()));
    expect(asked[0]?.url).toBe("https://api.anthropic.com/v1/messages");
    expect(asked[0]?.headers.get("authorization")).toBe(`Bearer ${canary}`);
    expect(asked[0]?.headers.get("x-api-key")).toBeNull();
  });
});

describe("the list of models", () => {
  const signal = new AbortController().signal;

  test("has a thousand models, with what the vendor says of each", async () => {
    const yes = { supported: true };
    const no = { supported: false };
    const types = { adaptive: yes, enabled: no, disabled: no, between_tools: no };
    const capabilities = { image_input: yes, pdf_input: yes, thinking: { supported: true, types }, effort: yes };
    const unsaid = { display_name: null, max_input_tokens: null, max_tokens: null, lifecycle: null, capabilities: null };
    const many = Array.from({ length: 1_200 }, (_, index) => `claude-${index}`);
    upstream.models("anthropic", [
      {
        id: "claude-opus-9",
        display_name: "Claude Opus 9",
        max_input_tokens: 1_000_000,
        max_tokens: 128_000,
        capabilities,
        lifecycle: "active",
      },
      { ...unsaid, id: "claude-old", lifecycle: "deprecated", capabilities: { ...capabilities, pdf_input: no } },
      { ...unsaid, id: "silent" },
      ...many,
    ]);
    const found = await provider().listModels({ key: 0, signal });
    expect(found).toHaveLength(1_000);
    expect(found.slice(0, 3)).toEqual([
      {
        id: "claude-opus-9",
        name: "Claude Opus 9",
        contextLength: 1_000_000,
        outputLimit: 128_000,
        inputs: ["text", "image", "file"],
        tools: true,
        reasoning: true,
        retired: false,
      },
      { id: "claude-old", inputs: ["text", "image"], tools: true, reasoning: true, retired: true },
      { id: "silent" },
    ]);
  });

  test("fails as an answer does", async () => {
    upstream.byKey("sk-list", { refusal: { status: 401, message: "bad sk-list" } });
    const wrong = anthropicProvider({ keys: ["sk-list"], baseUrl: upstream.url, models: [] });
    const failure = await wrong.listModels({ key: 0, signal }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ trouble: "auth", status: 401 });
    expect(inspect(failure, { depth: 10 })).not.toContain("sk-list");
    await expect(provider().listModels({ key: 0, signal: AbortSignal.abort() })).rejects.toThrow(ProviderError);
  });
});

function provider() {
  return anthropicProvider({ keys: [canary], baseUrl: upstream.url, models: [] });
}

function question(change: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    model: "claude-sonnet-4-5",
    system: null,
    messages: [{ role: "user", parts: [{ type: "text", text: "Hello" }] }],
    tools: [],
    temperature: null,
    topP: null,
    topK: null,
    maxTokens: 100,
    reasoning: "off",
    ...change,
  };
}

async function ask(script: Script) {
  upstream.script(script);
  return collect(listen(provider(), question()));
}

/** A call that the upstream has got, and that nobody reads yet. */
async function begin(script: Script) {
  const key = `key-${upstream.calls.length}`;
  upstream.byKey(key, script);
  const abort = new AbortController();
  const provider = anthropicProvider({ keys: [key], baseUrl: upstream.url, models: [] });
  const events = unstarted(listen(provider, question(), { signal: abort.signal }));
  return { events, abort, call: await upstream.nextCall({ key }) };
}

/** Starts at once, and hands out the first result when it is asked for. */
function unstarted(iterator: AsyncIterator<ProviderEvent>) {
  let first: Promise<IteratorResult<ProviderEvent>> | undefined = iterator.next();
  first.catch(() => {});
  return {
    next() {
      const result = first ?? iterator.next();
      first = undefined;
      return result;
    },
    return: () => iterator.return?.(),
  };
}

async function collect(stream: AsyncIterable<ProviderEvent>) {
  const events: ProviderEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { events, failure: error };
  }
  return { events, failure: undefined };
}

async function lastCall() {
  const call = upstream.calls.at(-1);
  if (!call) throw new Error("Nobody has called");
  return call;
}

function textIn(events: ProviderEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

function tokensIn(events: ProviderEvent[]) {
  return events.findLast((event) => event.type === "usage")?.tokens;
}

function frame(event: object): string {
  return `event: ${"type" in event ? event.type : "x"}\ndata: ${JSON.stringify(event)}\n\n`;
}

function raw(...events: object[]): Script {
  return { steps: [...events.map((event) => ({ raw: frame(event) }))], transport: { pieceBytes: 64 } };
}

function block(index: number, content_block: object) {
  return { type: "content_block_start", index, content_block };
}

function delta(index: number, delta: object) {
  return { type: "content_block_delta", index, delta };
}

function stop(index: number) {
  return { type: "content_block_stop", index };
}

function ended(stop_reason: string) {
  return [
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 3 } },
    { type: "message_stop" },
  ];
}
