import type { GenerateRequest, Reasoning } from "@parley/core/ports";
import { type Script, type Step, startUpstream, type Upstream } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { hear, listen, polyglot, question } from "../shared/stream-testing.ts";
import { geminiProvider } from "./provider.ts";

const keys = ["AIza-first-canary", "AIza-second-canary"];
const at = ({ url }: Pick<Upstream, "url">, own = keys) => geminiProvider({ keys: own, baseUrl: url, models: [] });

async function heard(script: Script, request: Partial<GenerateRequest> = {}) {
  await using upstream = await startUpstream();
  upstream.script(script);
  return await hear(at(upstream), { model: "gemini-2.5-flash", ...request });
}

/** What Gemini is asked. */
async function asked(request: Partial<GenerateRequest>) {
  await using upstream = await startUpstream();
  await hear(at(upstream), { model: "gemini-2.5-flash", ...request });
  const { body } = await upstream.nextCall();
  return body;
}

const raw = (...chunks: object[]): Step[] => chunks.map((chunk) => ({ raw: `data: ${JSON.stringify(chunk)}\r\n\r\n` }));
const finished = (finishReason: string, ...parts: object[]) => ({ candidates: [{ content: { parts }, finishReason }] });

describe("what Gemini says", () => {
  test("may have line separators of Unicode, escaped as Google does", async () => {
    const chunk = JSON.stringify(finished("STOP", { text: "TEXT" })).replace("TEXT", "a\\u2028b");
    expect((await heard({ steps: [{ raw: `data: ${chunk}\r\n\r\n` }] })).text).toBe("a\u2028b");
  });

  test.each([1, 2, 3, 5, 7, 64])("is the same text in pieces of %i bytes", async (pieceBytes) => {
    for (const newline of ["\n", "\r\n"] as const) {
      const { text, events, error } = await heard({
        steps: Array.from(polyglot, (text) => ({ text })),
        transport: { pieceBytes, newline },
      });
      expect(error).toBeNull();
      expect(text).toBe(polyglot);
      expect(events.at(-1)).toEqual({ type: "end", finishReason: "stop" });
    }
  });

  test("is thought before it is said", async () => {
    const { events } = await heard({
      steps: [{ reasoning: "Let me think." }, { text: "Four." }],
      usage: { input: 1, output: 2 },
    });
    expect(events.filter(({ type }) => type !== "usage")).toEqual([
      { type: "reasoning", text: "Let me think." },
      { type: "text", text: "Four." },
      { type: "end", finishReason: "stop" },
    ]);
  });

  test("calls tools, with the vendor's id and signature, or an id of our own", async () => {
    const { events } = await heard({
      steps: [
        { toolCall: { id: "its-own", name: "weather", input: { city: "חיפה" }, signature: "c2lnbmVk" } },
        { toolCall: { id: "", name: "clock", input: {} } },
      ],
    });
    expect(events).toEqual([
      { type: "tool-call", callId: "its-own", name: "weather", input: { city: "חיפה" }, signature: "c2lnbmVk" },
      { type: "tool-call", callId: expect.stringMatching(/^[\da-f-]{36}$/), name: "clock", input: {} },
      { type: "end", finishReason: "tool_calls" },
    ]);
  });

  test("may be signed after its last word", async () => {
    const { events } = await heard({ steps: raw(finished("STOP", { text: "Four." }, { text: "", thoughtSignature: "c2ln" })) });
    expect(events).toEqual([
      { type: "text", text: "Four." },
      { type: "reasoning", text: "", signature: "c2ln" },
      { type: "end", finishReason: "stop" },
    ]);
  });

  test("is counted in parts that have nothing in common", async () => {
    const { events } = await heard({
      steps: [{ text: "Four." }],
      usage: { input: 100, cacheRead: 900, output: 30, reasoning: 20 },
    });
    expect(events.filter(({ type }) => type === "usage").at(-1)).toEqual({
      type: "usage",
      tokens: { input: 100, cacheRead: 900, cacheWrite: 0, output: 30 },
    });
  });

  test("counts what the vendor's own tools put into the prompt", async () => {
    const usageMetadata = { promptTokenCount: 10, toolUsePromptTokenCount: 5, candidatesTokenCount: 1 };
    const { events } = await heard({ steps: raw({ ...finished("STOP", { text: "." }), usageMetadata }) });
    expect(events).toContainEqual({ type: "usage", tokens: { input: 15, cacheRead: 0, cacheWrite: 0, output: 1 } });
  });

  test.each([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content_filter"],
    ["RECITATION", "content_filter"],
    ["BLOCKLIST", "content_filter"],
    ["PROHIBITED_CONTENT", "content_filter"],
    ["SPII", "content_filter"],
    ["IMAGE_SAFETY", "content_filter"],
    ["MALFORMED_FUNCTION_CALL", "other"],
    ["LANGUAGE", "other"],
    ["SOMETHING_NEW", "other"],
  ])("ends with %s, which is %s", async (said, finishReason) => {
    const { events, text } = await heard({ steps: raw(finished(said, { text: "So far" })) });
    expect(text).toBe("So far");
    expect(events.at(-1)).toEqual({ type: "end", finishReason });
  });

  test("ends as filtered where the question is blocked", async () => {
    const { events, error } = await heard({ finishReason: "content_filter", usage: { input: 5, output: 0 } });
    expect(error).toBeNull();
    expect(events.at(-1)).toEqual({ type: "end", finishReason: "content_filter" });
    expect(events).toContainEqual({ type: "usage", tokens: { input: 5, cacheRead: 0, cacheWrite: 0, output: 0 } });
  });

  test("stays an answer when the connection breaks after the last word", async () => {
    const { events, error } = await heard({ steps: [...raw(finished("STOP", { text: "All." })), { cut: true }] });
    expect(error).toBeNull();
    expect(events.at(-1)).toEqual({ type: "end", finishReason: "stop" });
  });
});

describe("what Gemini is asked", () => {
  test("has the system, the turns in order, and how to answer", async () => {
    const body = await asked({
      system: "Be brief.",
      temperature: 0.7,
      topP: 0.8,
      topK: 10,
      maxTokens: 100,
      messages: [
        { role: "user", parts: [{ type: "text", text: "One" }] },
        { role: "user", parts: [{ type: "text", text: "Two" }] },
        { role: "assistant", parts: [] },
        { role: "assistant", parts: [{ type: "text", text: "Three" }] },
        {
          role: "user",
          parts: [
            { type: "text", text: "" },
            { type: "image", mediaType: "image/png", data: "iVBORw0K" },
            { type: "file", name: "a.pdf", mediaType: "application/pdf", data: "JVBERi0=" },
            { type: "file", name: "a.csv", mediaType: "text/csv", data: btoa("a,b") },
          ],
        },
      ],
    });
    expect(body).toMatchObject({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        { role: "user", parts: [{ text: "One" }, { text: "Two" }] },
        { role: "model", parts: [{ text: "Three" }] },
        {
          role: "user",
          parts: [
            { inlineData: { mimeType: "image/png", data: "iVBORw0K" } },
            { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
            { text: '<file name="a.csv">\na,b\n</file>' },
          ],
        },
      ],
      generationConfig: { temperature: 0.7, topP: 0.8, topK: 10, maxOutputTokens: 100 },
    });
  });

  test("leaves out what is not wished, and what later models do not take", async () => {
    const sampling = { temperature: 0.7, topP: 0.8, topK: 10 };
    expect(await asked({ model: "gemini-2.0-flash" })).toMatchObject({ generationConfig: { maxOutputTokens: 2_048 } });
    for (const [model, has] of [
      ["gemini-2.0-flash", true],
      ["gemini-3.1-pro-preview", true],
      ["gemini-3.8-flash", false],
      ["gemini-4-argon", false],
      ["gemini-flash-latest", false],
    ] as const) {
      const body = await asked({ ...sampling, model });
      if (has) expect(body).toMatchObject({ generationConfig: sampling });
      else expect(body).not.toHaveProperty("generationConfig.temperature");
    }
  });

  test("offers tools in the words that Gemini knows", async () => {
    const inputSchema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      properties: { city: { type: "string", description: "Where" } },
      required: ["city"],
    };
    const tools = [
      { name: "weather", description: "Tells the weather", inputSchema },
      { name: "clock", description: "Tells the time", inputSchema: { type: "object", properties: {} } },
    ];
    expect(await asked({ tools })).toMatchObject({
      tools: [
        {
          functionDeclarations: [
            {
              name: "weather",
              description: "Tells the weather",
              parameters: {
                type: "object",
                properties: { city: { type: "string", description: "Where" } },
                required: ["city"],
              },
            },
            { name: "clock", description: "Tells the time" },
          ],
        },
      ],
    });
  });

  const toolTurns: GenerateRequest["messages"] = [
    ...question.messages,
    {
      role: "assistant",
      parts: [
        { type: "reasoning", text: "Hm.", signature: "dGV4dA==" },
        { type: "text", text: "Let me see." },
        { type: "tool-call", callId: "1", name: "weather", input: { city: "Haifa" }, signature: "Y2FsbA==" },
        { type: "tool-call", callId: "2", name: "clock", input: {} },
      ],
    },
    {
      role: "tool",
      results: [
        { callId: "1", name: "weather", output: "sunny", isError: false },
        { callId: "2", name: "clock", output: "stopped", isError: true },
      ],
    },
  ];

  test("gives back calls, results and signatures", async () => {
    expect(await asked({ messages: toolTurns })).toMatchObject({
      contents: [
        { role: "user" },
        {
          role: "model",
          parts: [
            { text: "Let me see.", thoughtSignature: "dGV4dA==" },
            { functionCall: { id: "1", name: "weather", args: { city: "Haifa" } }, thoughtSignature: "Y2FsbA==" },
            { functionCall: { id: "2", name: "clock", args: {} } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { id: "1", name: "weather", response: { output: "sunny" } } },
            { functionResponse: { id: "2", name: "clock", response: { error: "stopped" } } },
          ],
        },
      ],
    });
  });

  test("says of another model's calls that they have no signature", async () => {
    const messages: GenerateRequest["messages"] = [
      ...question.messages,
      { role: "assistant", parts: [{ type: "tool-call", callId: "1", name: "clock", input: {} }] },
      { role: "tool", results: [{ callId: "1", name: "clock", output: 12, isError: false }] },
    ];
    const signed = { contents: [{}, { parts: [{ thoughtSignature: "skip_thought_signature_validator" }] }, {}] };
    expect(await asked({ messages, model: "gemini-3.8-flash" })).toMatchObject(signed);
    expect(await asked({ messages, model: "gemini-2.5-flash" })).not.toMatchObject(signed);
  });

  const thinking: [string, Reasoning, object | undefined][] = [
    ["gemini-2.5-flash", "off", { includeThoughts: false, thinkingBudget: 0 }],
    ["gemini-2.5-flash", "low", { includeThoughts: true, thinkingBudget: 1_024 }],
    ["gemini-2.5-flash", "high", { includeThoughts: true, thinkingBudget: 5_000 }],
    ["gemini-2.5-pro", "off", { includeThoughts: false, thinkingBudget: 128 }],
    ["gemini-2.5-pro", "medium", { includeThoughts: true, thinkingBudget: 5_000 }],
    ["gemini-3-flash-preview", "off", { includeThoughts: false, thinkingLevel: "minimal" }],
    ["gemini-3-pro-preview", "medium", { includeThoughts: true, thinkingLevel: "high" }],
    ["gemini-3.1-pro-preview", "medium", { includeThoughts: true, thinkingLevel: "medium" }],
    ["gemini-3.5-flash-lite", "off", { includeThoughts: false, thinkingLevel: "minimal" }],
    ["gemini-3.8-flash", "off", { includeThoughts: false, thinkingLevel: "low" }],
    ["gemini-3.8-flash", "high", { includeThoughts: true, thinkingLevel: "high" }],
    ["gemini-4-argon", "low", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-pro-latest", "low", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-2.0-flash", "high", undefined],
    ["gemini-2.5-flash-image", "high", undefined],
    ["gemma-3-27b-it", "low", undefined],
  ];
  test.each(thinking)("lets %s think %s", async (model, reasoning, thinkingConfig) => {
    const body = await asked({ model, reasoning, maxTokens: 10_000 });
    if (thinkingConfig) expect(body).toMatchObject({ generationConfig: { thinkingConfig } });
    else expect(body).not.toHaveProperty("generationConfig.thinkingConfig");
  });
});

describe("Gemini's trouble", () => {
  const refusals: [string, Script, object][] = [
    ["quota", { refusal: { status: 429, type: "quota", retryAfterSeconds: 37 } }, { status: 429, retryAfterMs: 37_000 }],
    ["rate", { refusal: { status: 429, type: "rate", retryAfterSeconds: 0.5 } }, { status: 429, retryAfterMs: 500 }],
    ["rate", { refusal: { status: 429, body: "<html>slow down</html>" } }, { status: 429 }],
    ["quota", { refusal: { status: 429, message: "Your project has exceeded its monthly spending cap." } }, { status: 429 }],
    ["overloaded", { refusal: { status: 503 } }, { status: 503 }],
    ["overloaded", { refusal: { status: 500, body: "" } }, { status: 500 }],
    ["auth", { refusal: { status: 400, type: "auth" } }, { status: 400 }],
    ["auth", { refusal: { status: 403 } }, { status: 403 }],
    ["bad_request", { refusal: { status: 400 } }, { status: 400 }],
    ["bad_request", { refusal: { status: 404 } }, { status: 404 }],
    ["overloaded", { steps: [{ text: "So" }, { error: { type: "overloaded", message: "Busy" } }] }, { status: 503 }],
    ["rate", { steps: [{ text: "So" }, { error: { type: "rate", message: "Slowly" } }] }, { status: 429 }],
    ["overloaded", { steps: raw({ error: { status: "INTERNAL" } }) }, { status: 500 }],
    ["cut", { steps: [{ text: "So" }, { cut: true }] }, {}],
    ["cut", { steps: [{ text: "So" }, { silence: true }] }, {}],
    ["cut", { steps: [{ raw: 'data: {"candidates": [{"content"' }] }, {}],
    ["invalid_stream", { steps: [{ raw: 'data: {"candidates": [}\n\n' }] }, {}],
    ["invalid_stream", { steps: [{ raw: "data: null\n\n" }] }, {}],
  ];
  test.each(refusals)("is %s: %j", async (trouble, script, extra) => {
    const { error, events } = await heard(script);
    expect(error).toMatchObject({ trouble, ...extra });
    expect(events.some(({ type }) => type === "end")).toBe(false);
  });

  test("is the network where nobody listens", async () => {
    const upstream = await startUpstream();
    await upstream.stop();
    const provider = at(upstream);
    expect((await hear(provider)).error).toMatchObject({ trouble: "network" });
    await expect(provider.listModels({ key: 0, signal: new AbortController().signal })).rejects.toMatchObject({
      trouble: "network",
    });
  });

  test("keeps what was said before it", async () => {
    const { text, error } = await heard({ steps: [{ text: "So far" }, { error: { type: "overloaded", message: "Busy" } }] });
    expect(text).toBe("So far");
    expect(error?.message).toBe("Gemini answered 503: Busy");
  });

  test("is told in the vendor's words, without the key", async () => {
    const message = `Consumer 'api_key:${keys[0]}' has been suspended.`;
    const { error } = await heard({ refusal: { status: 403, message } });
    expect(error?.message).toBe("Gemini answered 403: Consumer 'api_key:[key]' has been suspended.");
    for (const script of [
      { refusal: { status: 429, type: "quota", message } },
      { refusal: { status: 500, body: message } },
      { steps: [{ error: { type: "overloaded", message } }] },
      { steps: [{ raw: `data: ${message}\n\n` }] },
    ]) {
      expect(JSON.stringify(describeError((await heard(script)).error))).not.toContain("canary");
    }
  });

  test("with a key that no header takes tells the place of the key, not the key", async () => {
    await using upstream = await startUpstream();
    const { error } = await hear(at(upstream, ["bad\nkey-canary"]));
    expect(error).toMatchObject({ trouble: "auth", message: "Key 1 of Gemini has characters that no key has" });
    expect((await hear(at(upstream, [])))?.error).toMatchObject({ trouble: "auth" });
  });

  test("in the middle of an answer leaves no connection behind", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ text: "So" }, { raw: "data: {]\r\n\r\n" }, { stall: true }] });
    expect((await hear(at(upstream))).error).toMatchObject({ trouble: "invalid_stream" });
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });
});

describe("a call to Gemini", () => {
  test("takes the key of its position", async () => {
    await using upstream = await startUpstream();
    await hear(at(upstream), {}, { key: 1 });
    const { key, path } = await upstream.nextCall();
    expect(key).toBe("AIza-second-canary");
    expect(path).not.toContain("canary");
  });

  test.each([
    ["before it is answered", [{ stall: true }] satisfies Step[], {}],
    ["when its headers came", [{ stall: true }] satisfies Step[], { headersAtOnce: true }],
  ])("that is aborted %s is closed and just ends", async (_, steps, transport) => {
    await using upstream = await startUpstream();
    upstream.script({ steps, transport });
    const abort = new AbortController();
    const said = hear(at(upstream), {}, { signal: abort.signal });
    const call = await upstream.nextCall();
    abort.abort();
    expect(await said).toEqual({ events: [], text: "", error: null });
    expect(await call.closed).toBe("by-client");
  });

  test("that is aborted within its answer is closed and just ends", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ stream: { perSecond: 200 } }] });
    const abort = new AbortController();
    const stream = listen(at(upstream), {}, { signal: abort.signal });
    let words = 0;
    for await (const event of stream) if (event.type === "text" && ++words === 5) abort.abort();
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });

  test("that nobody reads any more is closed", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ stream: { perSecond: 200 } }] });
    for await (const _ of listen(at(upstream))) break;
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });

  test("that was aborted before it began is not made", async () => {
    await using upstream = await startUpstream();
    expect(await hear(at(upstream), {}, { signal: AbortSignal.abort() })).toMatchObject({ events: [], error: null });
    expect(upstream.calls).toHaveLength(0);
  });
});

describe("Gemini's list", () => {
  test("has the models that answer, and what is said of them", async () => {
    await using upstream = await startUpstream();
    upstream.models("gemini", [
      { id: "gemini-2.5-flash", displayName: "Gemini 2.5 Flash", thinking: true },
      { id: "text-embedding-004", supportedGenerationMethods: ["embedContent"] },
      { id: "gemma-3-27b-it", displayName: "", inputTokenLimit: undefined },
    ]);
    const listed = await at(upstream).listModels({ key: 1, signal: new AbortController().signal });
    expect(listed).toEqual([
      { id: "gemini-2.5-flash", name: "Gemini 2.5 Flash", contextLength: 1_048_576, outputLimit: 65_536, reasoning: true },
      { id: "gemma-3-27b-it", outputLimit: 65_536 },
    ]);
    const { path, key } = await upstream.nextCall();
    expect(path).toBe("/v1beta/models?pageSize=1000");
    expect(key).toBe("AIza-second-canary");
  });

  test("is refused with the same troubles as an answer", async () => {
    await using upstream = await startUpstream();
    upstream.byKey("AIza-first-canary", { refusal: { status: 400, type: "auth" } });
    const list = at(upstream).listModels({ key: 0, signal: new AbortController().signal });
    await expect(list).rejects.toMatchObject({ trouble: "auth", status: 400 });
  });
});

function describeError(error: Error | null) {
  return { message: error?.message, stack: error?.stack, cause: String(error?.cause) };
}
