// A stand-in for the Anthropic adapter, which is not written yet: the same request over node:http, and a parser that looks
// at nothing but what an answer needs. What that adapter must do besides (errors, retries, tools, thinking) is not here.
import http from "node:http";
import type { GenerateRequest, Provider, ProviderEvent } from "../../../packages/core/src/ports.ts";

export function upstreamProvider(baseUrl: string): Provider {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const address = new URL("/v1/messages", baseUrl);
  const model = { id: "upstream", provider: "upstream", name: "Upstream", contextLength: 200_000, outputLimit: 8_192 };

  function open(generate: GenerateRequest, emit: (events: ProviderEvent[]) => void, end: (error?: Error) => void) {
    const { system, messages, temperature, maxTokens } = generate;
    const body = JSON.stringify({
      model: "claude-sonnet-4-5",
      max_tokens: maxTokens,
      temperature,
      stream: true,
      ...(system !== null && { system }),
      messages,
    });
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-api-key": "k",
      "anthropic-version": "2023-06-01",
    };
    const request = http.request(address, { method: "POST", agent, headers }, (response) => {
      const parse = createParser();
      response.setEncoding("utf8");
      response.on("data", (data: string) => emit(parse(data)));
      response.on("end", () => end());
      response.on("error", end);
    });
    request.on("error", end);
    request.end(body);
    return request;
  }

  return {
    name: "upstream",
    models: [{ ...model, isDefault: true }],
    async *stream(generate, signal) {
      const queue: ProviderEvent[] = [];
      let ended: { error: Error | undefined } | undefined;
      let wake = () => {};
      const request = open(
        generate,
        (events) => {
          for (const event of events) queue.push(event);
          wake();
        },
        (error) => {
          ended ??= { error };
          wake();
        },
      );
      const onAbort = () => request.destroy();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        for (let index = 0; ; ) {
          for (let event = queue[index]; event; event = queue[++index]) yield event;
          queue.length = 0;
          index = 0;
          if (ended?.error) throw ended.error;
          if (ended) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        if (!ended) request.destroy();
      }
    },
  };
}

/** Anthropic's stream, split at blank lines. */
function createParser() {
  let buffered = "";
  let input = 0;
  return (data: string): ProviderEvent[] => {
    buffered += data;
    const events: ProviderEvent[] = [];
    for (let end = buffered.indexOf("\n\n"); end >= 0; end = buffered.indexOf("\n\n")) {
      const block = buffered.slice(0, end);
      buffered = buffered.slice(end + 2);
      const json = () => JSON.parse(block.slice(block.indexOf("data: ") + 6));
      if (block.startsWith("event: content_block_delta")) {
        const { delta } = json();
        if (delta.type === "text_delta") events.push({ type: "text", text: delta.text });
      } else if (block.startsWith("event: message_start")) input = json().message.usage.input_tokens;
      else if (block.startsWith("event: message_delta")) {
        const { delta, usage } = json();
        const tokens = { input, cacheRead: 0, cacheWrite: 0, output: usage.output_tokens };
        events.push({ type: "usage", tokens }, { type: "end", finishReason: delta.stop_reason });
      }
    }
    return events;
  };
}
