import type { GenerateRequest } from "@parley/core/ports";
import { type Script, type Step, startUpstream, type Upstream } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { hear, listen, polyglot } from "../shared/stream-testing.ts";
import { type OpenaiCompatibleOptions, openaiCompatibleProvider } from "./provider.ts";

const keys = ["sk-first-canary", "sk-second-canary"];

function at({ url }: Pick<Upstream, "url">, options: Partial<OpenaiCompatibleOptions> = {}) {
  return openaiCompatibleProvider({ name: "lab", label: "Lab", keys, baseUrl: `${url}/v1/`, ...options });
}

/** OpenAI by its address, and the upstream in its place. */
function openaiAt({ url }: Upstream) {
  const rerouted: typeof fetch = (input, init) => fetch(String(input).replace("https://api.openai.com", url), init);
  return openaiCompatibleProvider({ keys, baseUrl: "https://api.openai.com/v1", fetch: rerouted });
}

async function heard(script: Script, request: Partial<GenerateRequest> = {}) {
  await using upstream = await startUpstream();
  upstream.script(script);
  return await hear(at(upstream), request);
}

async function asked(request: Partial<GenerateRequest>, provider: (upstream: Upstream) => ReturnType<typeof at> = at) {
  await using upstream = await startUpstream();
  await hear(provider(upstream), request);
  const { body } = await upstream.nextCall();
  return body;
}

const raw = (...chunks: object[]): Step[] => chunks.map((chunk) => ({ raw: `data: ${JSON.stringify(chunk)}\n\n` }));
const delta = (said: object, finish_reason: string | null = null) => ({ choices: [{ index: 0, delta: said, finish_reason }] });
const done: Step = { raw: "data: [DONE]\n\n" };
const never = new AbortController().signal;

describe("what such a server says", () => {
  test.each([1, 2, 3, 5, 7, 64])("is the same text in pieces of %i bytes", async (pieceBytes) => {
    for (const newline of ["\n", "\r\n"] as const) {
      const steps = Array.from(polyglot, (text) => ({ text }));
      const { text, events, error } = await heard({ steps, transport: { pieceBytes, newline } });
      expect(error).toBeNull();
      expect(text).toBe(polyglot);
      expect(events.at(-1)).toEqual({ type: "end", finishReason: "stop" });
    }
  });

  test("is thought before it is said, by either name", async () => {
    const { events } = await heard({ steps: [{ reasoning: "Let me think." }, { text: "Four." }] });
    expect(events).toEqual([
      { type: "reasoning", text: "Let me think." },
      { type: "text", text: "Four." },
      { type: "end", finishReason: "stop" },
    ]);
    const byOllama = await heard({ steps: [...raw(delta({ content: "", reasoning: "Hm." }), delta({}, "stop")), done] });
    expect(byOllama.events[0]).toEqual({ type: "reasoning", text: "Hm." });
  });

  test("calls tools, piece by piece and then as a whole", async () => {
    const { events } = await heard({
      steps: [
        { toolCall: { id: "call_1", name: "weather", input: { city: "חיפה" }, pieces: 3 } },
        { toolCall: { id: "call_2", name: "clock", input: {} } },
      ],
    });
    const pieces = events.flatMap((event) => (event.type === "tool-input" && event.callId === "call_1" ? [event.text] : []));
    expect(pieces).toHaveLength(3);
    expect(JSON.parse(pieces.join(""))).toEqual({ city: "חיפה" });
    expect(events.filter(({ type }) => type !== "tool-input")).toEqual([
      { type: "tool-call", callId: "call_1", name: "weather", input: { city: "חיפה" } },
      { type: "tool-call", callId: "call_2", name: "clock", input: {} },
      { type: "end", finishReason: "tool_calls" },
    ]);
  });

  test("calls tools in less careful ways too", async () => {
    const call = (id: string | null, index: number | undefined, name: string, text: string) =>
      delta({ tool_calls: [{ ...(id && { id }), ...(index !== undefined && { index }), function: { name, arguments: text } }] });
    const { events } = await heard({
      steps: [
        ...raw(call("a", 0, "one", "{}"), call("b", 0, "two", '{"x":1}'), call("c", undefined, "three", "")),
        ...raw(call(null, 7, "four", ""), call("", 7, "", '{"y":2}'), delta({}, "stop")),
        done,
      ],
    });
    expect(events.filter(({ type }) => type !== "tool-input")).toEqual([
      { type: "tool-call", callId: "a", name: "one", input: {} },
      { type: "tool-call", callId: "b", name: "two", input: { x: 1 } },
      { type: "tool-call", callId: "c", name: "three", input: {} },
      { type: "tool-call", callId: expect.stringMatching(/^[\da-f-]{36}$/), name: "four", input: { y: 2 } },
      { type: "end", finishReason: "tool_calls" },
    ]);
  });

  test("makes no call of an input that the limit cut off", async () => {
    const { events, error } = await heard({
      steps: [
        ...raw(delta({ tool_calls: [{ index: 0, id: "a", function: { name: "one", arguments: '{"x' } }] })),
        ...raw(delta({}, "length")),
        done,
      ],
    });
    expect(error).toBeNull();
    expect(events.map(({ type }) => type)).toEqual(["tool-input", "end"]);
  });

  test("is counted in parts that have nothing in common", async () => {
    const { events } = await heard({
      steps: [{ text: "Four." }],
      usage: { input: 100, cacheRead: 900, output: 30, reasoning: 20 },
    });
    expect(events.slice(-2)).toEqual([
      { type: "usage", tokens: { input: 100, cacheRead: 900, cacheWrite: 0, output: 30 } },
      { type: "end", finishReason: "stop" },
    ]);
  });

  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool_calls", "tool_calls"],
    ["function_call", "tool_calls"],
    ["content_filter", "content_filter"],
    ["something_new", "other"],
  ])("ends with %s, which is %s", async (said, finishReason) => {
    const { events } = await heard({ steps: [...raw(delta({ content: "So" }), delta({}, said)), done] });
    expect(events.at(-1)).toEqual({ type: "end", finishReason });
  });

  test("shows that it lives while it has nothing to say", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ ping: true }, { stall: true }] });
    for await (const event of listen(at(upstream))) if (event.type === "ping") break;
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });
});

describe("an end", () => {
  const said = raw(delta({ content: "All." }));
  const finish = raw(delta({}, "stop"));
  const usage = raw({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } });

  test.each<[string, Step[]]>([
    ["a finish reason, the usage and [DONE]", [...said, ...finish, ...usage, done]],
    ["a finish reason and [DONE]", [...said, ...finish, done]],
    ["a finish reason and the end of the body", [...said, ...finish, ...usage]],
    ["a finish reason beside the last word", raw(delta({ content: "All." }, "stop"))],
  ])("is %s", async (_, steps) => {
    const { text, events, error } = await heard({ steps });
    expect(error).toBeNull();
    expect(text).toBe("All.");
    expect(events.filter(({ type }) => type === "end")).toEqual([{ type: "end", finishReason: "stop" }]);
  });

  test.each<[string, Step[]]>([
    ["the end of the body alone", said],
    ["[DONE] alone", [...said, done]],
    ["a connection that breaks", [...said, { cut: true }]],
    ["a connection that breaks after a finish reason", [...said, ...finish, { cut: true }]],
    ["nothing at all", [{ silence: true }]],
  ])("is not %s", async (_, steps) => {
    const { events, error } = await heard({ steps });
    expect(error).toMatchObject({ trouble: "cut" });
    expect(events.some(({ type }) => type === "end")).toBe(false);
  });

  test("leaves the connection to the next call", async () => {
    await using upstream = await startUpstream();
    await hear(at(upstream));
    expect(await (await upstream.nextCall()).closed).toBe("finished");
  });
});

describe("what such a server is asked", () => {
  const full: Partial<GenerateRequest> = {
    system: "Be brief.",
    temperature: 0.7,
    topP: 0.9,
    topK: 40,
    maxTokens: 100,
    reasoning: "low",
    tools: [{ name: "clock", description: "Tells the time", inputSchema: { type: "object", properties: {} } }],
    messages: [
      { role: "user", parts: [{ type: "text", text: "Hi" }] },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "Let me see." },
          { type: "tool-call", callId: "1", name: "clock", input: {} },
          { type: "tool-call", callId: "2", name: "clock", input: { zone: "UTC" } },
        ],
      },
      {
        role: "tool",
        results: [
          { callId: "1", name: "clock", output: { hour: 12 }, isError: false },
          { callId: "2", name: "clock", output: "no such zone", isError: true },
        ],
      },
      { role: "assistant", parts: [] },
      {
        role: "user",
        parts: [
          { type: "text", text: "And this?" },
          { type: "image", mediaType: "image/png", data: "iVBORw0K" },
          { type: "file", name: "a.pdf", mediaType: "application/pdf", data: "JVBERi0=" },
          { type: "file", name: "a.json", mediaType: "application/json", data: btoa("{}") },
        ],
      },
      {
        role: "user",
        parts: [
          { type: "text", text: "One" },
          { type: "text", text: "Two" },
        ],
      },
    ],
  };
  const common = {
    model: "model",
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.7,
    top_p: 0.9,
    reasoning_effort: "low",
    tool_choice: "auto",
    tools: [
      {
        type: "function",
        function: { name: "clock", description: "Tells the time", parameters: { type: "object", properties: {} } },
      },
    ],
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [
          { id: "1", type: "function", function: { name: "clock", arguments: "{}" } },
          { id: "2", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } },
        ],
      },
      { role: "tool", tool_call_id: "1", content: '{"hour":12}' },
      { role: "tool", tool_call_id: "2", content: "Error: no such zone" },
      {
        role: "user",
        content: [
          { type: "text", text: "And this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
          { type: "text", text: '<file name="a.json">\n{}\n</file>' },
        ],
      },
      { role: "user", content: "One\n\nTwo" },
    ],
  };

  test("is in the words that most of them know", async () => {
    expect(await asked(full)).toEqual({ ...common, max_tokens: 100, top_k: 40 });
  });

  test("is in OpenAI's own words at OpenAI", async () => {
    expect(await asked(full, openaiAt)).toEqual({ ...common, max_completion_tokens: 100 });
  });

  test("has nothing that nobody wished for", async () => {
    expect(await asked({})).toEqual({
      model: "model",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 2_048,
      messages: [{ role: "user", content: "Hi" }],
    });
  });

  const extraForbidden = `[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]`;
  const detail = [{ type: "extra_forbidden", loc: ["body", "top_k"], msg: "Extra inputs are not permitted", input: 40 }];
  test.each([
    ["stream_options", { status: 400, message: "Unrecognized request argument supplied: stream_options" }],
    ["stream_options", { status: 400, body: JSON.stringify({ object: "error", message: extraForbidden, code: 400 }) }],
    ["top_k", { status: 422, body: JSON.stringify({ detail }) }],
    ["temperature", { status: 400, body: JSON.stringify({ error: { message: "Only 1 is allowed", param: "temperature" } }) }],
    ["reasoning_effort", { status: 400, body: JSON.stringify({ error: '"m" does not support reasoning_effort' }) }],
  ])("is without %s once the server has refused it", async (field, refusal) => {
    await using upstream = await startUpstream();
    const provider = at(upstream);
    upstream.script({ refusal }, { steps: [{ text: "First" }] }, { steps: [{ text: "Second" }] });
    expect(await hear(provider, full)).toMatchObject({ text: "First", error: null });
    expect(await hear(provider, full)).toMatchObject({ text: "Second", error: null });
    expect(upstream.calls.map(({ body }) => Object.keys(Object(body)).includes(field))).toEqual([true, false, false]);
    await hear(provider, { ...full, model: "another" });
    expect(upstream.calls.at(-1)?.body).toHaveProperty(field);
  });

  test("limits the answer by the other name where a server wishes it", async () => {
    await using upstream = await startUpstream();
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    upstream.script({ refusal: { status: 400, message } });
    expect((await hear(at(upstream))).error).toBeNull();
    expect(upstream.calls[1]?.body).toMatchObject({ max_completion_tokens: 2_048 });
    expect(upstream.calls[1]?.body).not.toHaveProperty("max_tokens");
  });

  test("is not asked for ever of a server that refuses everything, nor spared what was not the reason", async () => {
    await using upstream = await startUpstream();
    const provider = at(upstream);
    upstream.otherwise({ refusal: { status: 400, message: "temperature, top_p, max_tokens, max_completion_tokens: no" } });
    expect((await hear(provider, full)).error).toMatchObject({ trouble: "bad_request" });
    expect(upstream.calls.length).toBeLessThan(8);
    upstream.otherwise({ steps: [{ text: "Now" }] });
    await hear(provider, full);
    expect(upstream.calls.at(-1)?.body).toMatchObject({ temperature: 0.7, max_tokens: 100 });
  });
});

describe("trouble", () => {
  const json = { "content-type": "application/json" };
  const inStream = (type: string): Script => ({ steps: [{ text: "So" }, { error: { type, message: "No" } }] });
  test.each<[string, Script, object]>([
    ["quota", { refusal: { status: 429, type: "quota" } }, { status: 429 }],
    ["quota", { refusal: { status: 402, body: "Insufficient Balance" } }, { status: 402 }],
    ["rate", { refusal: { status: 429, retryAfterSeconds: 7 } }, { status: 429, retryAfterMs: 7_000 }],
    ["overloaded", { refusal: { status: 503, type: "overloaded" } }, { status: 503 }],
    ["overloaded", { refusal: { status: 502, body: "<html>Bad gateway</html>" } }, { status: 502 }],
    ["rate", { refusal: { status: 429, body: '[{"error":{"code":429,"message":"Slowly"}}]' } }, { status: 429 }],
    ["auth", { refusal: { status: 401 } }, { status: 401 }],
    ["auth", { refusal: { status: 403 } }, { status: 403 }],
    ["bad_request", { refusal: { status: 400 } }, { status: 400 }],
    ["bad_request", { refusal: { status: 404 } }, { status: 404 }],
    [
      "bad_request",
      { refusal: { status: 400, body: '{"error":{"code":"context_length_exceeded","message":"max_tokens"}}' } },
      {},
    ],
    ["content_filter", { refusal: { status: 400, body: '{"error":{"code":"content_filter","message":"No"}}' } }, { status: 400 }],
    ["overloaded", inStream("overloaded"), {}],
    ["quota", inStream("quota"), {}],
    ["rate", inStream("rate"), {}],
    ["auth", inStream("auth"), {}],
    ["bad_request", inStream("bad_request"), {}],
    ["content_filter", inStream("content_filter"), {}],
    ["overloaded", { steps: raw({ error: { message: "Upstream is down", code: 502 } }) }, { status: 502 }],
    ["rate", { steps: raw({ object: "error", message: "Slowly", code: 429 }) }, { status: 429 }],
    ["overloaded", { steps: raw({ error: "an error was encountered while running the model" }) }, {}],
    ["rate", { steps: [{ raw: '{"error":{"code":429,"message":"Slowly"}}' }], headers: json }, { status: 429 }],
    ["invalid_stream", { steps: [{ raw: '{"choices":[]}' }], headers: json }, {}],
    ["invalid_stream", { steps: [{ raw: 'data: {"choices": [\n\n' }] }, {}],
    ["invalid_stream", { steps: [{ raw: "data: 12\n\n" }] }, {}],
    ["invalid_stream", { steps: raw({ choices: [{ delta: { tool_calls: 1 } }] }) }, {}],
    [
      "invalid_stream",
      { steps: raw(delta({ tool_calls: [{ index: 0, id: "a", function: { name: "n", arguments: "{" } }] }), delta({}, "stop")) },
      {},
    ],
    ["cut", { steps: [{ raw: 'data: {"choices": [' }] }, {}],
  ])("is %s: %j", async (trouble, script, extra) => {
    const { error, events } = await heard(script);
    expect(error).toMatchObject({ trouble, ...extra });
    expect(events.some(({ type }) => type === "end")).toBe(false);
  });

  test("is the network where nobody listens", async () => {
    const upstream = await startUpstream();
    await upstream.stop();
    expect((await hear(at(upstream))).error).toMatchObject({ trouble: "network" });
    await expect(at(upstream).listModels({ key: 0, signal: never })).rejects.toMatchObject({ trouble: "network" });
  });

  test("is told in the server's words, without the key", async () => {
    const message = `Incorrect API key provided: ${keys[0]}.`;
    const { error } = await heard({ refusal: { status: 401, message } });
    expect(error?.message).toBe("Lab answered 401: Incorrect API key provided: [key].");
    for (const script of [
      { refusal: { status: 500, body: message } },
      { steps: [{ error: { type: "overloaded", message } }] },
      { steps: [{ raw: `data: ${message}\n\n` }] },
    ]) {
      const { error } = await heard(script);
      expect(`${error?.message} ${error?.stack} ${error?.cause}`).not.toContain("canary");
    }
  });

  test("with a key that no header takes tells the place of the key, not the key", async () => {
    await using upstream = await startUpstream();
    const { error } = await hear(at(upstream, { keys: ["bad\nkey-canary"] }));
    expect(error).toMatchObject({ trouble: "auth", message: "Key 1 of Lab has characters that no key has" });
  });
});

describe("a call", () => {
  test("takes the key of its position, or none", async () => {
    await using upstream = await startUpstream();
    await hear(at(upstream), {}, { key: 1 });
    expect((await upstream.nextCall()).key).toBe("sk-second-canary");
    const keyless = at(upstream, { keys: [] });
    expect(keyless.keys).toBe(1);
    expect((await hear(keyless)).error).toBeNull();
    expect((await upstream.nextCall()).headers).not.toHaveProperty("authorization");
  });

  test.each([
    ["before it is answered", {}],
    ["when its headers came", { headersAtOnce: true }],
  ])("that is aborted %s is closed and just ends", async (_, transport) => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ stall: true }], transport });
    const abort = new AbortController();
    const said = hear(at(upstream), {}, { signal: abort.signal });
    const call = await upstream.nextCall();
    abort.abort();
    expect(await said).toEqual({ events: [], text: "", error: null });
    expect(await call.closed).toBe("by-client");
  });

  test("that is aborted within its answer, or not read any more, is closed", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ stream: { perSecond: 200 } }] });
    const abort = new AbortController();
    let words = 0;
    for await (const event of listen(at(upstream), {}, { signal: abort.signal })) {
      if (event.type === "text" && ++words === 5) abort.abort();
    }
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
    for await (const event of listen(at(upstream))) if (event.type === "text") break;
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });

  test("that was aborted before it began is not made", async () => {
    await using upstream = await startUpstream();
    expect(await hear(at(upstream), {}, { signal: AbortSignal.abort() })).toMatchObject({ events: [], error: null });
    expect(upstream.calls).toHaveLength(0);
  });
});

describe("a list", () => {
  test("of a server in this network has what it says of its models, which cost nothing", async () => {
    await using upstream = await startUpstream();
    upstream.models("openai", [{ id: "qwen3", max_model_len: 40_960 }, { id: "text-embedding-3-small" }]);
    const provider = at(upstream);
    expect(provider.isLocal).toBe(true);
    const prices = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
    expect(await provider.listModels({ key: 0, signal: never })).toEqual([
      { id: "qwen3", contextLength: 40_960, prices },
      { id: "text-embedding-3-small", prices },
    ]);
  });

  test("of OpenAI has what can hold a conversation", async () => {
    await using upstream = await startUpstream();
    const others = "text-embedding-3-small whisper-1 tts-1-hd dall-e-3 gpt-image-1 gpt-4o-realtime-preview gpt-4o-audio-preview";
    const more = "gpt-4o-transcribe omni-moderation-latest sora-2 gpt-3.5-turbo-instruct davinci-002 o1-pro gpt-5-codex";
    const chat = ["gpt-5.1", "gpt-4o", "gpt-4.1-mini", "o3-mini", "gpt-3.5-turbo"];
    upstream.models("openai", [...others.split(" "), ...chat, ...more.split(" ")]);
    const provider = openaiAt(upstream);
    expect(provider).toMatchObject({ name: "openai", label: "OpenAI", isLocal: false });
    const image = ["text", "image", "file"];
    expect(await provider.listModels({ key: 0, signal: never })).toEqual([
      { id: "gpt-5.1", tools: true, reasoning: true, inputs: image },
      { id: "gpt-4o", tools: true, reasoning: false, inputs: image },
      { id: "gpt-4.1-mini", tools: true, reasoning: false, inputs: image },
      { id: "o3-mini", tools: true, reasoning: true, inputs: ["text"] },
      { id: "gpt-3.5-turbo", tools: true, reasoning: false, inputs: ["text"] },
    ]);
  });

  test("is refused with the same troubles as an answer", async () => {
    await using upstream = await startUpstream();
    upstream.byKey("sk-first-canary", { refusal: { status: 401 } });
    await expect(at(upstream).listModels({ key: 0, signal: never })).rejects.toMatchObject({ trouble: "auth", status: 401 });
  });
});
