import { type GenerateContentRequest, GoogleGenerativeAI, GoogleGenerativeAIFetchError } from "@google/generative-ai";
import {
  type FinishReason,
  type ModelEntry,
  type Provider,
  ProviderError,
  type ProviderEvent,
  type VendorModel,
} from "@parley/core/ports";
import { networkError } from "../shared/http-errors.ts";
import { keyAt } from "../shared/keys.ts";
import { type GeminiStatus, geminiError } from "./errors.ts";
import { type GeminiModel, vendorModels } from "./models.ts";
import { type GeminiPart, geminiRequest } from "./request.ts";

export interface GeminiOptions {
  keys: string[];
  baseUrl: string | null;
  models: ModelEntry[];
}

/** What the SDK hands on unread: more than its types say. */
interface Chunk {
  candidates?: { content?: { parts?: AnsweredPart[] }; finishReason?: string }[];
  promptFeedback?: { blockReason?: string };
  usageMetadata?: UsageMetadata;
  error?: GeminiStatus;
}

interface AnsweredPart extends Pick<GeminiPart, "text" | "thoughtSignature"> {
  thought?: boolean;
  functionCall?: { id?: string; name: string; args?: object };
}

interface UsageMetadata {
  promptTokenCount?: number;
  cachedContentTokenCount?: number;
  toolUsePromptTokenCount?: number;
  candidatesTokenCount?: number;
  thoughtsTokenCount?: number;
}

/** On the SDK that its vendor has retired: nothing but this file knows of it. */
export function geminiProvider({ keys, baseUrl, models }: GeminiOptions): Provider {
  const base = (baseUrl ?? "https://generativelanguage.googleapis.com").replace(/\/+$/, "");

  return {
    name: "gemini",
    label: "Gemini",
    keys: keys.length,
    isLocal: false,
    models,
    defaults: { temperature: 0.7, topP: 0.8, topK: 10, maxTokens: 2_048 },

    async *stream(request, call): AsyncGenerator<ProviderEvent> {
      const { signal } = call;
      if (signal.aborted) return;
      const client = new GoogleGenerativeAI(keyAt(keys, call, "Gemini"));
      const model = client.getGenerativeModel({ model: request.model }, { baseUrl: base });
      const body = geminiRequest(request) as GenerateContentRequest;
      // The SDK leaves the connection open when its parser gives up or its reader stops: only a signal closes it.
      const connection = new AbortController();
      const close = () => connection.abort();
      signal.addEventListener("abort", close);
      try {
        const { stream, response } = await model.generateContentStream(body, { signal: connection.signal });
        // It rejects whenever the stream fails, and nobody else listens to it.
        response.catch(() => {});
        yield* eventsOf(stream, keys);
      } catch (error) {
        if (!signal.aborted) throw failureOf(error, keys);
      } finally {
        signal.removeEventListener("abort", close);
        close();
      }
    },

    async listModels(call): Promise<VendorModel[]> {
      const headers = { "x-goog-api-key": keyAt(keys, call, "Gemini") };
      const response = await fetch(`${base}/v1beta/models?pageSize=1000`, { headers, signal: call.signal }).catch((error) => {
        throw networkError(error, "Gemini") ?? new ProviderError("network", "Gemini could not be reached");
      });
      const body: { models?: GeminiModel[]; error?: GeminiStatus } = await response.json().catch(() => ({}));
      if (!response.ok) throw geminiError({ ...body.error, code: response.status }, keys);
      if (!body.models) throw new ProviderError("invalid_stream", "Gemini's list of models could not be read");
      return vendorModels(body.models);
    },
  };
}

/** Reads candidates as they are: the SDK's own helpers throw at an answer that was blocked. */
async function* eventsOf(chunks: AsyncIterable<Chunk>, keys: string[]): AsyncGenerator<ProviderEvent> {
  let finishReason: FinishReason | null = null;
  let hasCalled = false;
  try {
    for await (const { error, candidates, promptFeedback, usageMetadata } of chunks) {
      if (error) throw geminiError(error, keys);
      const candidate = candidates?.[0];
      const parts = candidate?.content?.parts ?? [];
      hasCalled ||= parts.some(({ functionCall }) => functionCall !== undefined);
      for (const part of parts) yield* partEvents(part);
      if (usageMetadata) yield usageEvent(usageMetadata);
      else if (parts.length === 0) yield { type: "ping" };
      if (promptFeedback?.blockReason) finishReason = "content_filter";
      if (candidate?.finishReason) finishReason = finishReasonOf(candidate.finishReason, hasCalled);
    }
  } catch (error) {
    // What breaks after the vendor's last word takes nothing from the answer.
    if (finishReason === null || error instanceof ProviderError) throw error;
  }
  if (finishReason === null) throw new ProviderError("cut", "Gemini's answer stopped without its last word");
  yield { type: "end", finishReason };
}

function* partEvents({ text, thought, thoughtSignature, functionCall }: AnsweredPart): Generator<ProviderEvent> {
  const signature = thoughtSignature ? { signature: thoughtSignature } : {};
  if (functionCall) {
    const { id, name, args = {} } = functionCall;
    yield { type: "tool-call", callId: id || crypto.randomUUID(), name, input: args, ...signature };
  } else if (thought) {
    yield { type: "reasoning", text: text ?? "", ...signature };
  } else {
    if (text) yield { type: "text", text };
    // The signature of a text often comes after it, alone.
    if (thoughtSignature) yield { type: "reasoning", text: "", ...signature };
  }
}

function usageEvent(usage: UsageMetadata): ProviderEvent {
  const cacheRead = usage.cachedContentTokenCount ?? 0;
  const input = (usage.promptTokenCount ?? 0) - cacheRead + (usage.toolUsePromptTokenCount ?? 0);
  const output = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  return { type: "usage", tokens: { input: Math.max(0, input), cacheRead, cacheWrite: 0, output } };
}

function finishReasonOf(reason: string, hasCalled: boolean): FinishReason {
  switch (reason) {
    case "STOP":
      return hasCalled ? "tool_calls" : "stop";
    case "MAX_TOKENS":
      return "length";
    case "SAFETY":
    case "RECITATION":
    case "BLOCKLIST":
    case "PROHIBITED_CONTENT":
    case "SPII":
    case "IMAGE_SAFETY":
    case "IMAGE_PROHIBITED_CONTENT":
    case "IMAGE_RECITATION":
      return "content_filter";
    default:
      return "other";
  }
}

/** The SDK tells apart only refusals; what else went wrong is in its words. */
function failureOf(error: unknown, keys: string[]): ProviderError {
  if (error instanceof ProviderError) return error;
  if (error instanceof GoogleGenerativeAIFetchError) {
    const { status: code = 500, errorDetails: details = [], message } = error;
    return geminiError({ code, details, message: vendorWords(message, details) }, keys);
  }
  const message = error instanceof Error ? error.message : "";
  if (message.includes("Error fetching from")) return new ProviderError("network", "Gemini could not be reached");
  if (/Failed to parse stream|Error reading from the stream/.test(message)) {
    return new ProviderError("cut", "Gemini's answer broke off");
  }
  return new ProviderError("invalid_stream", "Gemini sent what is no answer");
}

/** `[GoogleGenerativeAI Error]: Error fetching from <url>: [429 Too Many Requests] <the vendor's words> <details as JSON>` */
function vendorWords(message: string, details: object[]): string {
  const said = message.replace(/^.*?: \[\d{3} [^\]]*\] /, "");
  return details.length > 0 ? said.replace(JSON.stringify(details), "").trim() : said;
}
