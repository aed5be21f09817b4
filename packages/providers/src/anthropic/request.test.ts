import type { GenerateRequest, ModelEntry, ModelMessage } from "@parley/core/ports";
import { startUpstream, type Upstream } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hear } from "../shared/stream-testing.ts";
import { anthropicProvider } from "./provider.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.stop();
});

const user = (...texts: string[]): ModelMessage => ({ role: "user", parts: texts.map((text) => ({ type: "text", text })) });
const assistant = (text: string): ModelMessage => ({ role: "assistant", parts: [{ type: "text", text }] });
const file = (name: string, mediaType: string, text: string | Uint8Array) => ({
  type: "file" as const,
  name,
  mediaType,
  data: Buffer.from(text).toString("base64"),
});
const weather = { name: "weather", description: "Tells the weather", inputSchema: { type: "object", properties: { city: {} } } };

describe("a request", () => {
  test("has no more than what was asked for", async () => {
    expect(await sent({})).toEqual({
      model: "claude-haiku-4-5",
      stream: true,
      max_tokens: 2_048,
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    });
  });

  test("has the system prompt and the tools", async () => {
    const tools = [weather, { name: "now", description: "", inputSchema: {} }];
    expect(await sent({ system: "Be brief.", tools })).toMatchObject({
      system: [{ type: "text", text: "Be brief." }],
      tools: [
        { name: "weather", description: "Tells the weather", input_schema: { type: "object", properties: { city: {} } } },
        { name: "now", input_schema: { type: "object" } },
      ],
    });
    expect(await sent({ system: " \n" })).not.toHaveProperty("system");
  });

  test("has images and files, as what they are", async () => {
    const parts = [
      { type: "text" as const, text: "Look" },
      { type: "image" as const, mediaType: "image/png", data: "iVBORw0KGgo=" },
      { type: "image" as const, mediaType: "image/jpg", data: "/9j/" },
      file("a.pdf", "application/pdf", "%PDF-1.7"),
      file("notes.md", "text/markdown", "# שלום"),
      file("main.rs", "application/octet-stream", "fn main() {}"),
      file("empty.txt", "text/plain", ""),
      file("a.zip", "application/zip", Uint8Array.of(80, 75, 3, 4, 0, 255)),
      { type: "image" as const, mediaType: "image/tiff", data: "SUkq" },
    ];
    const body = await sent({ messages: [{ role: "user", parts }] });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Look" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
          { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j/" } },
          {
            type: "document",
            title: "a.pdf",
            source: { type: "base64", media_type: "application/pdf", data: Buffer.from("%PDF-1.7").toString("base64") },
          },
          { type: "document", title: "notes.md", source: { type: "text", media_type: "text/plain", data: "# שלום" } },
          { type: "document", title: "main.rs", source: { type: "text", media_type: "text/plain", data: "fn main() {}" } },
          { type: "text", text: '[The file "a.zip" of type application/zip, which cannot be read here]' },
          { type: "text", text: "[An image of type image/tiff, which cannot be shown here]" },
        ],
      },
    ]);
  });

  test("joins turns of one side, and leaves out what is empty", async () => {
    const messages: ModelMessage[] = [
      user("One", "", " \n"),
      user("two"),
      assistant(""),
      user("three"),
      assistant("Four"),
      assistant("five"),
      user("six"),
    ];
    const body = await sent({ messages });
    expect(body.messages).toEqual([
      { role: "user", content: [text("One"), text("two"), text("three")] },
      { role: "assistant", content: [text("Four"), text("five")] },
      { role: "user", content: [text("six")] },
    ]);
  });

  test("has calls and results in pairs only, with ids that Claude takes", async () => {
    const call = (callId: string, input: unknown = {}) => ({ type: "tool-call" as const, callId, name: "weather", input });
    const result = (callId: string, output: unknown, isError = false) => ({ callId, name: "weather", output, isError });
    const body = await sent({
      messages: [
        user("Weather?"),
        {
          role: "assistant",
          parts: [{ type: "text", text: "I'll look" }, call("a:1", { city: "Haifa" }), call("b"), call("lost")],
        },
        { role: "tool", results: [result("a:1", { degrees: 21 })] },
        { role: "tool", results: [result("b", "No such place", true), result("stray", 1)] },
        assistant("21 degrees"),
        user("And tomorrow?"),
        { role: "assistant", parts: [call("unanswered")] },
        user("Hello?"),
        { role: "assistant", parts: [call("c", [1])] },
        { role: "tool", results: [result("c", "")] },
      ],
    });
    expect(body.messages).toEqual([
      { role: "user", content: [text("Weather?")] },
      {
        role: "assistant",
        content: [
          text("I'll look"),
          { type: "tool_use", id: "a_1", name: "weather", input: { city: "Haifa" } },
          { type: "tool_use", id: "b", name: "weather", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a_1", content: '{"degrees":21}' },
          { type: "tool_result", tool_use_id: "b", content: "No such place", is_error: true },
        ],
      },
      { role: "assistant", content: [text("21 degrees")] },
      { role: "user", content: [text("And tomorrow?"), text("Hello?")] },
      { role: "assistant", content: [{ type: "tool_use", id: "c", name: "weather", input: { input: [1] } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c" }] },
    ]);
  });

  test("has the thoughts of the turn that goes on, as they were signed, and of no other", async () => {
    const thoughtful = (callId: string): ModelMessage[] => [
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "Hm", signature: "sig" },
          { type: "reasoning", text: "", signature: "redacted:secret" },
          { type: "reasoning", text: "", signature: "hidden" },
          { type: "reasoning", text: "unsigned" },
          { type: "tool-call", callId, name: "weather", input: {} },
        ],
      },
      { role: "tool", results: [{ callId, name: "weather", output: "Sun", isError: false }] },
    ];
    const call = (id: string) => ({ type: "tool_use", id, name: "weather", input: {} });
    const body = await sent({
      messages: [user("Weather?"), ...thoughtful("a"), assistant("Sun"), user("Now?"), ...thoughtful("b")],
    });
    expect(body.messages.filter(({ role }) => role === "assistant").map(({ content }) => content)).toEqual([
      [call("a")],
      [text("Sun")],
      [
        { type: "thinking", thinking: "Hm", signature: "sig" },
        { type: "redacted_thinking", data: "secret" },
        { type: "thinking", thinking: "", signature: "hidden" },
        call("b"),
      ],
    ]);
  });
});

describe("sampling", () => {
  const all = { temperature: 0.5, topP: 0.9, topK: 40 };

  test.each([
    ["claude-haiku-4-5", all, { temperature: 0.5, top_k: 40 }],
    ["claude-opus-4-6", { temperature: 2 }, { temperature: 1 }],
    ["claude-3-5-sonnet-20241022", { topP: 0.9 }, { top_p: 0.9 }],
    ["claude-opus-4-1-20250805", { topK: 5 }, { top_k: 5 }],
    ["somebody-elses-model", { temperature: 0 }, { temperature: 0 }],
  ])("%s takes %o as %o, in the version of the API that knows it", async (model, given, expected) => {
    const body = await sent({ model, ...given });
    expect(samplingIn(body)).toEqual(expected);
    expect(version()).toBe("2023-06-01");
  });

  test.each([
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-sonnet-5",
    "claude-opus-5",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-fable-5-2",
    "claude-mythos-preview",
    "claude-opus-7",
  ])("%s takes none", async (model) => {
    expect(samplingIn(await sent({ model, ...all }))).toEqual({});
    expect(version()).toBe("2026-10-21");
  });

  test("is left out where a model thinks", async () => {
    expect(samplingIn(await sent({ model: "claude-haiku-4-5", reasoning: "low", ...all }))).toEqual({});
    expect(samplingIn(await sent({ model: "claude-sonnet-4-6", reasoning: "low", ...all }))).toEqual({});
  });
});

describe("thinking", () => {
  test.each([
    ["claude-3-7-sonnet-20250219", "low", 1_024],
    ["claude-sonnet-4-20250514", "medium", 8_192],
    ["claude-haiku-4-5-20251001", "high", 24_576],
    ["claude-opus-4-5", "high", 24_576],
  ] as const)("%s thinks on a budget (%s)", async (model, reasoning, budget_tokens) => {
    const body = await sent({ model, reasoning, maxTokens: 60_000 });
    expect(thinkingIn(body)).toEqual({ thinking: { type: "enabled", budget_tokens }, max_tokens: 60_000 });
  });

  test.each([
    ["claude-opus-4-6", "low"],
    ["claude-sonnet-4-6", "medium"],
    ["claude-opus-4-7", "high"],
    ["claude-sonnet-5", "low"],
    ["claude-opus-5-5", "medium"],
    ["claude-fable-5-2", "high"],
    ["claude-mythos-preview", "low"],
    ["claude-opus-7", "low"],
  ] as const)("%s thinks as much as it finds right (%s)", async (model, effort) => {
    const body = await sent({ model, reasoning: effort, maxTokens: 500 });
    const thinking = { type: "adaptive", display: "summarized" };
    expect(thinkingIn(body)).toEqual({ thinking, output_config: { effort }, max_tokens: 500 });
  });

  test.each([
    ["claude-3-haiku-20240307", {}],
    ["claude-haiku-4-5", {}],
    ["claude-opus-4-8", {}],
    ["claude-sonnet-5", { thinking: { type: "disabled" } }],
    ["claude-opus-5", { thinking: { type: "disabled" } }],
    ["claude-haiku-5-5", { thinking: { type: "disabled" } }],
    ["claude-sonnet-5-5", { thinking: { type: "between_tools" } }],
    ["claude-opus-5-5", { output_config: { effort: "low" } }],
    ["claude-fable-5", { output_config: { effort: "low" } }],
    ["claude-mythos-5-2", { output_config: { effort: "low" } }],
    ["claude-opus-7", { output_config: { effort: "low" } }],
  ])("%s thinks as little as it can where nobody asks it to", async (model, expected) => {
    expect(thinkingIn(await sent({ model, maxTokens: 500 }))).toEqual({ max_tokens: 500, ...expected });
  });

  test("is not asked of a model that cannot", async () => {
    expect(thinkingIn(await sent({ model: "claude-3-5-haiku-20241022", reasoning: "high" }))).toEqual({ max_tokens: 2_048 });
  });

  test.each([
    ["claude-haiku-4-5", 8_192, 99_000, { thinking: { type: "enabled", budget_tokens: 4_096 }, max_tokens: 8_192 }],
    ["claude-haiku-4-5", 1_500, 1_500, { max_tokens: 1_500 }],
    ["claude-haiku-4-5", 16_000, 9_000, { thinking: { type: "enabled", budget_tokens: 4_500 }, max_tokens: 9_000 }],
    ["claude-opus-5-5", 16_000, 99_000, { max_tokens: 16_000 }],
  ])("%s answers with no more than %i tokens in all", async (id, outputLimit, maxTokens, expected) => {
    const body = await sent({ model: id, reasoning: "high", maxTokens }, [entry(id, outputLimit)]);
    expect(thinkingIn(body)).toMatchObject(expected);
    expect(body.max_tokens).toBeLessThanOrEqual(outputLimit);
  });

  test("does not begin in the middle of a turn where a model with a budget began without", async () => {
    const turn = (...thoughts: { type: "reasoning"; text: string; signature: string }[]): ModelMessage[] => [
      user("Weather?"),
      { role: "assistant", parts: [...thoughts, { type: "tool-call", callId: "a", name: "weather", input: {} }] },
      { role: "tool", results: [{ callId: "a", name: "weather", output: "Sun", isError: false }] },
    ];
    const began = { type: "reasoning" as const, text: "Hm", signature: "sig" };
    const request = { model: "claude-haiku-4-5", reasoning: "low" as const, temperature: 0.5 };
    expect(await sent({ ...request, messages: turn() })).not.toHaveProperty("thinking");
    expect(await sent({ ...request, messages: turn(began) })).toMatchObject({ thinking: { type: "enabled" } });
  });

  test("goes by what the vendor says of a model, once it was asked", async () => {
    const yes = { supported: true };
    const no = { supported: false };
    const capable = (types: object) => ({ capabilities: { thinking: { supported: true, types } } });
    upstream.models("anthropic", [
      { id: "claude-opus-7", max_tokens: 4_000, ...capable({ adaptive: yes, enabled: no, disabled: yes, between_tools: no }) },
      { id: "claude-x", max_tokens: 64_000, ...capable({ adaptive: no, enabled: no, disabled: yes, between_tools: no }) },
      { id: "claude-sonnet-7", ...capable({ adaptive: yes, enabled: no, disabled: no, between_tools: yes }) },
      { id: "claude-haiku-4-5", ...capable({ adaptive: no, enabled: yes, disabled: yes, between_tools: no }) },
    ]);
    const provider = anthropicProvider({ keys: ["key"], baseUrl: upstream.url, models: [] });
    await provider.listModels({ key: 0, signal: new AbortController().signal });
    const body = async (request: Partial<GenerateRequest>) => {
      await hear(provider, request);
      return thinkingIn(lastBody());
    };
    expect(await body({ model: "claude-opus-7" })).toEqual({ thinking: { type: "disabled" }, max_tokens: 2_048 });
    expect(await body({ model: "claude-opus-7", reasoning: "high", maxTokens: 99_000 })).toMatchObject({
      thinking: { type: "adaptive" },
      max_tokens: 4_000,
    });
    expect(await body({ model: "claude-x", reasoning: "high" })).toEqual({ max_tokens: 2_048 });
    expect(await body({ model: "claude-sonnet-7" })).toMatchObject({ thinking: { type: "between_tools" } });
    expect(await body({ model: "claude-haiku-4-5", temperature: 0.5 })).toEqual({ max_tokens: 2_048 });
    expect(lastBody()).toMatchObject({ temperature: 0.5 });
  });
});

describe("the cache", () => {
  const long = "word ".repeat(2_000);
  const marked = { cache_control: { type: "ephemeral" } };

  test("is not asked for in a short conversation", async () => {
    const body = await sent({
      system: "Be brief.",
      tools: [weather],
      messages: [user("Hi"), assistant("Hello"), user("How are you?")],
    });
    expect(JSON.stringify(body)).not.toContain("cache_control");
  });

  test("keeps the system prompt, the end of the history, and the end of the one before", async () => {
    const messages = [user(long), assistant("One"), user("Two", "three"), assistant("Four"), user("Five", "six")];
    const body = await sent({ system: "Be brief.", tools: [weather], messages });
    expect(body.system).toEqual([{ ...text("Be brief."), ...marked }]);
    expect(body.messages.map(({ content }) => content)).toEqual([
      [text(long)],
      [text("One")],
      [text("Two"), { ...text("three"), ...marked }],
      [text("Four")],
      [text("Five"), { ...text("six"), ...marked }],
    ]);
    expect(body.tools).toEqual([expect.not.objectContaining(marked)]);
    expect(JSON.stringify(body).split("cache_control").length - 1).toBeLessThanOrEqual(4);
  });

  test("keeps the tools where there is no system prompt", async () => {
    const body = await sent({ tools: [weather, { ...weather, name: "other" }], messages: [user(long)] });
    expect(body.tools).toEqual([expect.not.objectContaining(marked), expect.objectContaining(marked)]);
  });

  test("counts a long system prompt, a large file and the output of tools", async () => {
    expect(JSON.stringify(await sent({ system: long }))).toContain("cache_control");
    const parts = [file("a.txt", "text/plain", long)];
    expect(JSON.stringify(await sent({ messages: [{ role: "user", parts }] }))).toContain("cache_control");
    const body = await sent({
      messages: [
        user("Weather?"),
        { role: "assistant", parts: [{ type: "tool-call", callId: "a", name: "weather", input: {} }] },
        { role: "tool", results: [{ callId: "a", name: "weather", output: long, isError: false }] },
      ],
    });
    expect(body.messages.at(-1)?.content).toEqual([expect.objectContaining({ type: "tool_result", ...marked })]);
  });
});

interface Body {
  [name: string]: unknown;
  max_tokens: number;
  messages: { role: string; content: object[] }[];
}

/** What the vendor was sent. */
async function sent(request: Partial<GenerateRequest>, models: ModelEntry[] = []): Promise<Body> {
  const provider = anthropicProvider({ keys: ["key"], baseUrl: upstream.url, models });
  const { error } = await hear(provider, { model: "claude-haiku-4-5", messages: [user("Hi")], ...request });
  expect(error).toBeNull();
  return lastBody();
}

function lastBody(): Body {
  return upstream.calls.at(-1)?.body as Body;
}

function version() {
  return upstream.calls.at(-1)?.headers["anthropic-version"];
}

function thinkingIn({ thinking, output_config, max_tokens }: Body) {
  return { max_tokens, ...(thinking !== undefined && { thinking }), ...(output_config !== undefined && { output_config }) };
}

function samplingIn({ temperature, top_p, top_k }: Body) {
  return JSON.parse(JSON.stringify({ temperature, top_p, top_k }));
}

function text(text: string) {
  return { type: "text", text };
}

function entry(id: string, outputLimit: number): ModelEntry {
  return {
    id,
    name: id,
    contextLength: null,
    outputLimit,
    inputs: ["text"],
    tools: true,
    reasoning: true,
    prices: null,
    retired: false,
    plans: null,
  };
}
