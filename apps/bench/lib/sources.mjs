// Three ways to read the same upstream, as async generators of text.
import { deltas, UPSTREAM } from "./anthropic-min.mjs";

const messages = [{ role: "user", content: "Hello" }];

export const SOURCES = {
  min: async () => deltas,
  sdk: async () => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const client = new Anthropic({ apiKey: "k", baseURL: UPSTREAM, maxRetries: 0 });
    return async function* (signal) {
      const request = { model: "claude-sonnet-4-5", max_tokens: 1024, stream: true, messages };
      for await (const event of await client.messages.create(request, { signal })) {
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") yield event.delta.text;
      }
    };
  },
  ai: async () => {
    const { streamText } = await import("ai");
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    const model = createAnthropic({ apiKey: "k", baseURL: `${UPSTREAM}/v1` })("claude-sonnet-4-5");
    return async function* (signal) {
      yield* streamText({ model, messages, abortSignal: signal, maxRetries: 0, onError() {} }).textStream;
    };
  },
};
