import { connect } from "node:net";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenerativeAI } from "@google/generative-ai";
import { type Script, startUpstream, type Upstream } from "@parley/testing";
import { describe, expect, test } from "vitest";

const user = { role: "user" as const, content: "Hi" };
const ask = { model: "claude-sonnet-5", max_tokens: 100, messages: [user] };

function anthropicAt({ url }: Upstream, apiKey = "sk-ant") {
  return new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
}

function geminiAt({ url }: Upstream, key = "AIza") {
  return new GoogleGenerativeAI(key).getGenerativeModel({ model: "gemini-2.5-flash" }, { baseUrl: url });
}

function openaiAt({ url }: Upstream, body: object = {}, signal: AbortSignal | null = null) {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-openai" },
    body: JSON.stringify({ model: "gpt-4o", stream: true, messages: [user], ...body }),
    signal,
  });
}

/** The data of each event. */
function eventsIn(text: string): string[] {
  const events = text.split(/\r?\n\r?\n/).filter((event) => event.startsWith("data: "));
  return events.map((event) => event.slice("data: ".length));
}

async function openaiEvents(upstream: Upstream, body: object = {}) {
  const events = eventsIn(await (await openaiAt(upstream, body)).text());
  expect(events.pop()).toBe("[DONE]");
  return events.map((event) => JSON.parse(event));
}

async function geminiChunks(upstream: Upstream) {
  const { stream, response } = await geminiAt(upstream).generateContentStream("Hi");
  // It fails beside the stream, and nobody may be listening then.
  response.catch(() => {});
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { chunks, response: await response };
}

describe("plain text", () => {
  const script: Script = {
    steps: [{ text: "Grüße, " }, { ping: true }, { text: "🌍!" }],
    usage: { input: 7, cacheRead: 3, cacheWrite: 2, output: 5, reasoning: 2 },
  };

  test("arrives at Anthropic's client, and what the cache had is apart from the input", async () => {
    await using upstream = await startUpstream();
    upstream.script(script);
    const message = await anthropicAt(upstream).messages.stream(ask).finalMessage();
    expect(message).toMatchObject({
      model: "claude-sonnet-5",
      content: [{ type: "text", text: "Grüße, 🌍!" }],
      stop_reason: "end_turn",
      usage: {
        input_tokens: 7,
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 2,
        output_tokens: 5,
        output_tokens_details: { thinking_tokens: 2 },
      },
    });
    expect(upstream.calls).toMatchObject([
      { vendor: "anthropic", kind: "generate", path: "/v1/messages", key: "sk-ant", body: { stream: true } },
    ]);
    await expect(upstream.calls[0]?.closed).resolves.toBe("finished");
  });

  test("arrives at Gemini's client, and what the cache had is part of the prompt", async () => {
    await using upstream = await startUpstream();
    upstream.script(script);
    const { chunks, response } = await geminiChunks(upstream);
    expect(chunks.map((chunk) => chunk.text())).toEqual(["Grüße, ", "", "🌍!", ""]);
    expect(response.candidates).toMatchObject([{ finishReason: "STOP" }]);
    expect(response.usageMetadata).toEqual({
      promptTokenCount: 12,
      cachedContentTokenCount: 3,
      candidatesTokenCount: 3,
      thoughtsTokenCount: 2,
      totalTokenCount: 17,
    });
    expect(upstream.calls).toMatchObject([{ vendor: "gemini", key: "AIza", body: { contents: [{ role: "user" }] } }]);
  });

  test("arrives from OpenAI, with usage in a last chunk of its own if it was asked for", async () => {
    await using upstream = await startUpstream();
    upstream.script(script, script);
    expect(await openaiEvents(upstream, { stream_options: { include_usage: true } })).toMatchObject([
      { object: "chat.completion.chunk", choices: [{ delta: { role: "assistant", content: "" } }], usage: null },
      { choices: [{ delta: { content: "Grüße, " }, finish_reason: null }] },
      { choices: [{ delta: { content: "🌍!" } }] },
      { choices: [{ delta: {}, finish_reason: "stop" }] },
      {
        choices: [],
        usage: {
          prompt_tokens: 12,
          prompt_tokens_details: { cached_tokens: 3 },
          completion_tokens: 5,
          completion_tokens_details: { reasoning_tokens: 2 },
        },
      },
    ]);
    expect(JSON.stringify(await openaiEvents(upstream))).not.toContain("usage");
    expect(upstream.calls).toMatchObject([{ vendor: "openai", key: "sk-openai" }, { vendor: "openai" }]);
  });

  test("arrives in one piece where no stream was asked for", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ ...script, finishReason: "length" });
    expect(await anthropicAt(upstream).messages.create(ask)).toMatchObject({
      content: [{ text: "Grüße, 🌍!" }],
      stop_reason: "max_tokens",
      usage: { input_tokens: 7, output_tokens: 5 },
    });
    const { response } = await geminiAt(upstream).generateContent("Hi");
    expect(response.text()).toBe("Grüße, 🌍!");
    expect(response).toMatchObject({ candidates: [{ finishReason: "MAX_TOKENS" }], usageMetadata: { totalTokenCount: 17 } });
    expect(await (await openaiAt(upstream, { stream: false })).json()).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { content: "Grüße, 🌍!" }, finish_reason: "length" }],
      usage: { total_tokens: 17 },
    });
  });

  test.each([1, 2, 3, 7])("arrives whole in pieces of %i bytes, at either end of lines", async (pieceBytes) => {
    await using upstream = await startUpstream();
    upstream.otherwise({ ...script, transport: { pieceBytes, newline: "\r\n" } });
    const { content } = await anthropicAt(upstream).messages.stream(ask).finalMessage();
    expect(content).toMatchObject([{ text: "Grüße, 🌍!" }]);
    expect((await geminiChunks(upstream)).chunks.map((chunk) => chunk.text()).join("")).toBe("Grüße, 🌍!");
    const { body } = await openaiAt(upstream);
    const pieces: number[] = [];
    for await (const piece of body ?? []) pieces.push(piece.length);
    expect(Math.max(...pieces)).toBe(pieceBytes);
  });
});

describe("thinking and tools", () => {
  const toolCall = { id: "call_1", name: "weather", input: { city: "Köln", days: [1, 2] }, pieces: 5, signature: "c2ln" };
  const script: Script = {
    steps: [{ reasoning: "Hm, " }, { reasoning: "weather.", signature: "c2ln" }, { text: "I look." }, { toolCall }],
  };

  test("arrive at Anthropic's client", async () => {
    await using upstream = await startUpstream();
    upstream.script(script);
    const stream = anthropicAt(upstream).messages.stream(ask);
    const inputs: string[] = [];
    stream.on("inputJson", (text) => inputs.push(text));
    expect(await stream.finalMessage()).toMatchObject({
      content: [
        { type: "thinking", thinking: "Hm, weather.", signature: "c2ln" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "call_1", name: "weather", input: toolCall.input },
      ],
      stop_reason: "tool_use",
    });
    expect(inputs.filter((text) => text !== "")).toHaveLength(5);
  });

  test("arrive at Gemini's client", async () => {
    await using upstream = await startUpstream();
    upstream.script(script);
    const { chunks } = await geminiChunks(upstream);
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.content.parts[0])).toEqual([
      { text: "Hm, ", thought: true },
      { text: "weather.", thought: true, thoughtSignature: "c2ln" },
      { text: "I look." },
      { functionCall: { id: "call_1", name: "weather", args: toolCall.input }, thoughtSignature: "c2ln" },
      { text: "" },
    ]);
    expect(chunks.at(3)?.functionCalls()).toMatchObject([{ name: "weather", args: toolCall.input }]);
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe("STOP");
  });

  test("arrive from OpenAI", async () => {
    await using upstream = await startUpstream();
    upstream.script(script);
    const deltas = (await openaiEvents(upstream)).map(({ choices: [choice] }) => choice.delta);
    expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe("Hm, weather.");
    const calls = deltas.flatMap((delta) => delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } });
    expect(calls).toHaveLength(6);
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(""))).toEqual(toolCall.input);
  });

  test("arrive in one piece where no stream was asked for", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise(script);
    expect((await anthropicAt(upstream).messages.create(ask)).content).toMatchObject([
      { type: "thinking", thinking: "Hm, weather.", signature: "c2ln" },
      { type: "text" },
      { type: "tool_use", input: toolCall.input },
    ]);
    const { response } = await geminiAt(upstream).generateContent("Hi");
    expect(response.functionCalls()).toMatchObject([{ name: "weather", args: toolCall.input }]);
    expect(await (await openaiAt(upstream, { stream: false })).json()).toMatchObject({
      choices: [{ message: { tool_calls: [{ id: "call_1" }] }, finish_reason: "tool_calls" }],
    });
  });
});

describe("refusals", () => {
  const anthropicTypes: [number, string | undefined, string][] = [
    [400, undefined, "invalid_request_error"],
    [401, undefined, "authentication_error"],
    [403, undefined, "permission_error"],
    [429, undefined, "rate_limit_error"],
    [500, undefined, "api_error"],
    [529, undefined, "overloaded_error"],
    [503, "overloaded", "overloaded_error"],
    [429, "quota", "rate_limit_error"],
    [402, "quota", "billing_error"],
    [400, "quota", "invalid_request_error"],
    [413, "request_too_large", "request_too_large"],
  ];
  test.each(anthropicTypes)("Anthropic's client understands %i %s as %s", async (status, type, said) => {
    await using upstream = await startUpstream();
    upstream.script({ refusal: { status, retryAfterSeconds: 7, ...(type && { type }) } });
    const refused = await anthropicAt(upstream)
      .messages.create({ ...ask, stream: true })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Anthropic.APIError);
    expect(refused).toMatchObject({ status, type: said });
    expect(refused).toHaveProperty("requestID", expect.stringMatching(/^req_/));
    if (refused instanceof Anthropic.APIError) expect(refused.headers?.get("retry-after")).toBe("7");
  });

  const geminiStatuses: [number, string | undefined, string, object[]][] = [
    [400, undefined, "INVALID_ARGUMENT", []],
    [400, "auth", "INVALID_ARGUMENT", [{ reason: "API_KEY_INVALID" }]],
    [403, undefined, "PERMISSION_DENIED", []],
    [429, undefined, "RESOURCE_EXHAUSTED", [{ violations: [{ quotaId: expect.stringContaining("PerMinute") }] }]],
    [429, "quota", "RESOURCE_EXHAUSTED", [{ violations: [{ quotaId: expect.stringContaining("PerDay") }] }]],
    [500, undefined, "INTERNAL", []],
    [503, undefined, "UNAVAILABLE", []],
  ];
  test.each(geminiStatuses)("Gemini's client understands %i %s as %s", async (status, type, said, details) => {
    await using upstream = await startUpstream();
    const refusal = { status, headers: { "Retry-After": "7" }, ...(type && { type }) };
    upstream.script({ refusal }, { refusal });
    const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "7s" };
    await expect(geminiAt(upstream).generateContentStream("Hi")).rejects.toMatchObject({
      status,
      errorDetails: [...details, retry],
    });
    const response = await fetch(`${upstream.url}/v1beta/models/gemini-2.5-pro:generateContent?key=k`, { method: "POST" });
    expect(await response.json()).toMatchObject({ error: { code: status, status: said } });
  });

  const openaiCodes: [number, string | undefined, string, string | null][] = [
    [400, undefined, "invalid_request_error", null],
    [401, undefined, "invalid_request_error", "invalid_api_key"],
    [429, undefined, "requests", "rate_limit_exceeded"],
    [429, "quota", "insufficient_quota", "insufficient_quota"],
    [429, "insufficient_quota", "insufficient_quota", "insufficient_quota"],
    [500, undefined, "server_error", null],
    [503, "overloaded", "server_error", null],
  ];
  test.each(openaiCodes)("OpenAI says %i %s as %s, %s", async (status, type, said, code) => {
    await using upstream = await startUpstream();
    upstream.script({ refusal: { status, retryAfterSeconds: 7, message: "No.", ...(type && { type }) } });
    const response = await openaiAt(upstream);
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(await response.json()).toEqual({ error: { message: "No.", type: said, code, param: null } });
  });

  test("can be something else than the vendor's", async () => {
    await using upstream = await startUpstream();
    upstream.script({ refusal: { status: 502, body: "<html>", headers: { "content-type": "text/html" } } });
    const response = await openaiAt(upstream);
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(await response.text()).toBe("<html>");
  });
});

describe("a stream that began well", () => {
  const error = { type: "overloaded", message: "Too much." };

  test("breaks off with an error that Anthropic's client understands", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ text: "A" }, { error }] });
    const failed = anthropicAt(upstream).messages.stream(ask).finalMessage();
    await expect(failed).rejects.toMatchObject({ type: "overloaded_error", apiMessage: "Too much." });
  });

  test("breaks off with Gemini's or OpenAI's error", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }, { error }] });
    expect((await geminiChunks(upstream)).chunks).toMatchObject([
      { candidates: [{}] },
      { error: { code: 503, status: "UNAVAILABLE", message: "Too much." } },
    ]);
    const events = eventsIn(await (await openaiAt(upstream)).text());
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { message: "Too much.", type: "server_error" } });
  });

  test("is filtered", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }], finishReason: "content_filter" });
    const message = await anthropicAt(upstream).messages.stream(ask).finalMessage();
    expect(message.stop_reason).toBe("refusal");
    const { chunks } = await geminiChunks(upstream);
    expect(() => chunks.at(-1)?.text()).toThrow("SAFETY");
    upstream.otherwise({ finishReason: "content_filter" });
    const blocked = await geminiChunks(upstream);
    expect(() => blocked.response.text()).toThrow("PROHIBITED_CONTENT");
  });

  test("is cut after what was said", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }, { cut: true }] });
    const texts: string[] = [];
    const stream = anthropicAt(upstream).messages.stream(ask);
    stream.on("text", (text) => texts.push(text));
    await expect(stream.finalMessage()).rejects.toThrow("terminated");
    expect(texts).toEqual(["A"]);
    await expect(geminiChunks(upstream)).rejects.toThrow("Error reading from the stream");
    await expect(openaiAt(upstream).then((response) => response.text())).rejects.toThrow("terminated");
    await expect(upstream.calls[0]?.closed).resolves.toBe("finished");
  });

  test("ends without the last word", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }, { silence: true }] });
    const texts: string[] = [];
    for await (const event of await anthropicAt(upstream).messages.create({ ...ask, stream: true })) texts.push(event.type);
    expect(texts).toEqual(["message_start", "content_block_start", "content_block_delta"]);
    expect(eventsIn(await (await openaiAt(upstream)).text())).toHaveLength(2);
  });

  test("has bytes that are no JSON", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }, { raw: 'data: {"oops\n\n' }] });
    await expect(geminiChunks(upstream)).rejects.toThrow("Error parsing JSON");
    upstream.script({ steps: [{ raw: "data: {}\n\n" }] });
    expect(await (await openaiAt(upstream)).text()).toBe("data: {}\n\n");
  });
});

describe("who ends a call", () => {
  test("the client, while the upstream says nothing more", async () => {
    await using upstream = await startUpstream();
    upstream.otherwise({ steps: [{ text: "A" }, { stall: true }] });
    const stream = await anthropicAt(upstream).messages.create({ ...ask, stream: true });
    const call = await upstream.nextCall({ vendor: "anthropic", kind: "generate" });
    stream.controller.abort();
    await expect(call.closed).resolves.toBe("by-client");
  });

  test("the client, before the first byte", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ stall: true }] });
    const client = new AbortController();
    const response = openaiAt(upstream, {}, client.signal);
    const call = await upstream.nextCall();
    client.abort();
    await expect(response).rejects.toThrow("abort");
    await expect(call.closed).resolves.toBe("by-client");
  });

  test("the client, in an endless stream that nobody reads", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ stream: { perSecond: Number.POSITIVE_INFINITY, characters: 1_000 } }] });
    const client = new AbortController();
    await openaiAt(upstream, {}, client.signal);
    const call = await upstream.nextCall();
    client.abort();
    await expect(call.closed).resolves.toBe("by-client");
  });

  test("the upstream, when it stops", async () => {
    const upstream = await startUpstream();
    upstream.script({ steps: [{ text: "A" }, { stall: true }] });
    const response = await openaiAt(upstream);
    await upstream.stop();
    await expect(upstream.calls[0]?.closed).resolves.toBe("finished");
    await expect(response.text()).rejects.toThrow("terminated");
  });
});

describe("deltas at a pace", () => {
  test.each([undefined, 5])("are all there and carry their stamps, in pieces of %s bytes", async (pieceBytes) => {
    await using upstream = await startUpstream();
    let stamps = 0;
    const stamp = () => `@${String(stamps++).padStart(12, "0")}`;
    const stream = { perSecond: 2_000, tokens: 200, characters: 20, stamp };
    const transport = pieceBytes === undefined ? {} : { pieceBytes };
    upstream.otherwise({ steps: [{ text: "First" }, { stream }], usage: { input: 1, output: 201 }, transport });
    const said = Array.from({ length: 200 }, (_, index) => ` w@${String(index).padStart(12, "0")}xxxxx`);
    const { content, usage } = await anthropicAt(upstream).messages.stream(ask).finalMessage();
    expect(content).toMatchObject([{ text: `First${said.join("")}` }]);
    expect(usage.output_tokens).toBe(201);
    stamps = 0;
    const { chunks } = await geminiChunks(upstream);
    expect(chunks.map((chunk) => chunk.text())).toEqual(["First", ...said, ""]);
    stamps = 0;
    const texts = (await openaiEvents(upstream)).map(({ choices: [choice] }) => choice.delta.content ?? "");
    expect(texts.join("")).toBe(`First${said.join("")}`);
  });

  test("wait for a client that reads slowly, and lose nothing", async () => {
    await using upstream = await startUpstream();
    const stream = { perSecond: Number.POSITIVE_INFINITY, tokens: 5_000, characters: 1_000 };
    upstream.script({ steps: [{ stream }] });
    const response = await geminiAt(upstream).generateContentStream("Hi");
    const call = await upstream.nextCall();
    const chunks = [];
    for await (const chunk of response.stream) chunks.push(chunk.text().length);
    expect(chunks).toHaveLength(5_001);
    await expect(call.closed).resolves.toBe("finished");
  });
});

describe("the first byte", () => {
  /** What is on the wire before the upstream cuts it, status and headers included. */
  async function sentAtOnce(script: Script): Promise<string> {
    await using upstream = await startUpstream();
    upstream.script({ ...script, steps: [{ waitMs: 10 }, { cut: true }] });
    const socket = connect(Number(new URL(upstream.url).port), "127.0.0.1");
    let received = "";
    socket.on("data", (data) => {
      received += data.toString();
    });
    const body = JSON.stringify({ model: "gpt-4o", stream: true });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: upstream\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await new Promise((resolve) => socket.once("close", resolve));
    return received;
  }

  test("brings status and headers", async () => {
    expect(await sentAtOnce({})).toBe("");
  });

  test("comes after status and headers if the script says so", async () => {
    const received = await sentAtOnce({ headers: { "x-ratelimit": "1" }, transport: { headersAtOnce: true } });
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(received).toContain("x-ratelimit: 1\r\n");
    expect(received.endsWith("\r\n\r\n")).toBe(true);
  });
});

describe("whose script it is", () => {
  test("a key's comes before a model's, before the next, before what is always said", async () => {
    await using upstream = await startUpstream();
    const saying = (text: string): Script => ({ steps: [{ text }] });
    upstream.byKey("sk-bad", { refusal: { status: 401 } });
    upstream.byModel("claude-opus-5", saying("opus"));
    upstream.script(saying("first"), saying("second"));
    const say = async (model = "claude-sonnet-5", key = "sk-ant") => {
      const { content } = await anthropicAt(upstream, key).messages.create({ ...ask, model });
      return content[0]?.type === "text" ? content[0].text : null;
    };
    await expect(say("claude-opus-5", "sk-bad")).rejects.toMatchObject({ status: 401 });
    expect(await say("claude-opus-5")).toBe("opus");
    expect([await say(), await say(), await say()]).toEqual(["first", "second", "Hello from anthropic."]);
    upstream.otherwise(saying("always"));
    expect(await say()).toBe("always");
    const bad = anthropicAt(upstream, "sk-bad").models.list();
    await expect(bad).rejects.toMatchObject({ status: 401 });
  });
});

describe("lists of models", () => {
  test("are told page by page at Anthropic", async () => {
    await using upstream = await startUpstream();
    const ids = Array.from({ length: 5 }, (_, index) => `claude-${index}`);
    upstream.models("anthropic", [{ id: "claude-best", max_tokens: 128_000 }, ...ids]);
    const found = [];
    for await (const model of anthropicAt(upstream).models.list({ limit: 2 })) found.push(model);
    expect(found[0]).toMatchObject({ id: "claude-best", display_name: "claude-best", max_tokens: 128_000 });
    expect(found.map(({ id }) => id)).toEqual(["claude-best", ...ids]);
    expect(upstream.calls.map(({ kind }) => kind)).toEqual(["models", "models", "models"]);
  });

  test("are told by Gemini, OpenAI and Ollama", async () => {
    await using upstream = await startUpstream();
    upstream.models("gemini", ["gemini-a", "gemini-b"]);
    upstream.models("ollama", [{ id: "qwen3:8b", capabilities: ["completion", "thinking"] }]);
    const get = async (path: string, init: RequestInit = {}) => (await fetch(upstream.url + path, init)).json();
    expect(await get("/v1beta/models?pageSize=1&key=k")).toMatchObject({
      models: [{ name: "models/gemini-a", supportedGenerationMethods: ["generateContent", "countTokens"] }],
      nextPageToken: "1",
    });
    expect(await get("/v1beta/models?pageSize=1&pageToken=1")).toMatchObject({ models: [{ name: "models/gemini-b" }] });
    const bearer = { headers: { authorization: "Bearer sk-openai" } };
    expect(await get("/v1/models", bearer)).toMatchObject({ object: "list", data: [{ id: "gpt-4o", object: "model" }] });
    expect(await get("/api/tags")).toMatchObject({ models: [{ name: "qwen3:8b", model: "qwen3:8b" }] });
    const show = { method: "POST", body: JSON.stringify({ model: "qwen3:8b" }) };
    expect(await get("/api/show", show)).toMatchObject({ capabilities: ["completion", "thinking"] });
    expect(upstream.calls.map(({ key }) => key)).toEqual(["k", null, "sk-openai", null, null]);
  });
});
