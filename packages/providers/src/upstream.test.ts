import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenerativeAI } from "@google/generative-ai";
import { startUpstream } from "@parley/testing";
import { describe, expect, test } from "vitest";

type Address = { url: string };

function anthropicAt({ url }: Address, key = "sk-ant") {
  return new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
}

function geminiAt({ url }: Address, key = "AIza") {
  return new GoogleGenerativeAI(key).getGenerativeModel({ model: "gemini-2.5-flash" }, { baseUrl: url });
}

const ask = { model: "claude-sonnet-5", max_tokens: 100, messages: [{ role: "user" as const, content: "Hi" }] };

async function openaiAt({ url }: Address, body: object = {}, signal?: AbortSignal) {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-openai" },
    body: JSON.stringify({ model: "gpt-4o", stream: true, messages: [], ...body }),
    ...(signal && { signal }),
  });
}

/** The data of each event. */
async function events(response: Response): Promise<string[]> {
  const text = await response.text();
  return text
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
}

describe("plain text", () => {
  test("arrives at Anthropic's client", async () => {
    await using upstream = await startUpstream();
    upstream.script({
      steps: [{ text: "Grüße, " }, { text: "🌍!" }],
      usage: { input: 7, cacheRead: 3, cacheWrite: 2, output: 5 },
    });
    const message = await anthropicAt(upstream).messages.stream(ask).finalMessage();
    expect(message).toMatchObject({
      model: "claude-sonnet-5",
      content: [{ type: "text", text: "Grüße, 🌍!" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 7, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 5 },
    });
    expect(upstream.calls).toMatchObject([{ vendor: "anthropic", kind: "generate", key: "sk-ant", body: { stream: true } }]);
    await expect(upstream.calls[0]?.closed).resolves.toBe("finished");
  });

  test("arrives at Gemini's client", async () => {
    await using upstream = await startUpstream();
    upstream.script({
      steps: [{ text: "Grüße, " }, { text: "🌍!" }],
      usage: { input: 7, cacheRead: 3, output: 5, reasoning: 2 },
    });
    const { stream, response } = await geminiAt(upstream).generateContentStream("Hi");
    const texts = [];
    for await (const chunk of stream) texts.push(chunk.text());
    expect(texts).toEqual(["Grüße, ", "🌍!", ""]);
    expect((await response).candidates).toMatchObject([{ finishReason: "STOP" }]);
    expect((await response).usageMetadata).toEqual({
      promptTokenCount: 10,
      cachedContentTokenCount: 3,
      candidatesTokenCount: 3,
      thoughtsTokenCount: 2,
      totalTokenCount: 15,
    });
  });

  test("arrives from OpenAI", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ text: "Grüße" }], usage: { input: 7, cacheRead: 3, output: 5, reasoning: 2 } });
    const said = await events(await openaiAt(upstream, { stream_options: { include_usage: true } }));
    expect(said.pop()).toBe("[DONE]");
    expect(said.map((event) => JSON.parse(event))).toMatchObject([
      { object: "chat.completion.chunk", choices: [{ delta: { role: "assistant", content: "" } }], usage: null },
      { choices: [{ delta: { content: "Grüße" }, finish_reason: null }] },
      { choices: [{ delta: {}, finish_reason: "stop" }] },
      { choices: [], usage: { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 3 }, completion_tokens: 5 } },
    ]);
  });
});

test("a call that the client leaves is closed by it", async () => {
  await using upstream = await startUpstream();
  upstream.otherwise({ steps: [{ text: "A" }, { stall: true }] });
  const stream = await anthropicAt(upstream).messages.create({ ...ask, stream: true });
  const call = await upstream.nextCall();
  stream.controller.abort();
  await expect(call.closed).resolves.toBe("by-client");
});
