import type { ServerResponse } from "node:http";
import { text as textOf } from "node:stream/consumers";
import {
  type AnswerPart,
  type GenerateRequest,
  type ModelMessage,
  type Provider,
  ProviderError,
  type ProviderEvent,
} from "@parley/core/ports";
import { startLocalServer } from "../telemetry/local-server.ts";
import { openai } from "./openai.ts";
import type { Script } from "./script.ts";

interface Asked {
  model: string;
  messages: { role: string; content: string | null }[];
  max_tokens: number;
}

const statuses: Record<string, number> = { auth: 401, quota: 429, rate: 429, overloaded: 503 };

/** A test's own provider as an OpenAI-compatible vendor, for a server that it cannot be put into. What it takes for a word is text alone. */
export async function serveProvider(provider: Provider) {
  const server = await startLocalServer(async (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const { signal } = gone;
    const body = await textOf(request);
    if (request.method === "POST") return answer(provider, JSON.parse(body) as Asked, { response, signal });
    const models = (await provider.listModels({ key: 0, signal })).map(({ id }) => ({ id }));
    response.end(JSON.stringify(openai.list(models, new URLSearchParams())));
  });
  return { url: `http://127.0.0.1:${server.port}/v1`, stop: server.stop };
}

interface Heard {
  response: ServerResponse;
  signal: AbortSignal;
}

async function answer(provider: Provider, asked: Asked, { response, signal }: Heard): Promise<void> {
  const script: Script = {};
  const { open, tell, error: telling, close } = openai.answer(script, { model: asked.model, wantsUsage: true });
  let isOver = false;
  const say = (text: string) => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" }).write(open());
    response.write(text);
  };
  try {
    await provider.stream(requestOf(asked), { key: 0, signal }, (event) => {
      if (event.type === "usage") script.usage = event.tokens;
      else if (event.type === "end") isOver = true;
      else for (const text of tell(stepOf(event))) say(text);
    });
    // Without the last word it was cut.
    if (isOver) say(close());
    if (!isOver && !response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    response.end();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { trouble: type, message } = error;
    if (response.headersSent) return void response.end(telling({ type, message }));
    const status = error.status ?? statuses[type] ?? 400;
    const refused = openai.refusal({ status, type, message }, { model: asked.model, wantsUsage: true });
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(refused.body));
  }
}

function stepOf(event: Exclude<ProviderEvent, { type: "usage" | "end" }>) {
  switch (event.type) {
    case "text":
      return { text: event.text };
    case "reasoning":
      return { reasoning: event.text };
    case "ping":
      return { ping: true as const };
    case "tool-call":
      return { toolCall: { id: event.callId, name: event.name, input: event.input } };
    case "tool-input":
      throw new Error("A tool's input comes with its call");
  }
}

function requestOf({ model, messages, max_tokens: maxTokens }: Asked): GenerateRequest {
  const system = messages.find(({ role }) => role === "system")?.content ?? null;
  const left = { temperature: null, topP: null, topK: null, reasoning: "off" } as const;
  return { model, system, messages: messages.flatMap(messageOf), maxTokens, tools: [], ...left };
}

function messageOf({ role, content }: Asked["messages"][number]): ModelMessage[] {
  const parts: Extract<AnswerPart, { type: "text" }>[] = [{ type: "text", text: content ?? "" }];
  return role === "user" || role === "assistant" ? [{ role, parts }] : [];
}
