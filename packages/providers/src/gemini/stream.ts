import { type FinishReason, ProviderError, type ProviderEvent, type ProviderSink } from "@parley/core/ports";
import { networkError } from "../shared/http-errors.ts";
import { type Phase, readEvents, type SseEvent } from "../shared/sse.ts";
import { tokenCount, tokenSum } from "../shared/token-count.ts";
import { toolInput } from "../shared/tool-input.ts";
import { geminiError } from "./errors.ts";
import type { GeminiPart } from "./request.ts";

/** More than the types of the vendor's SDK say. */
interface Chunk {
  candidates?: { content?: { parts?: AnsweredPart[] }; finishReason?: string }[];
  promptFeedback?: { blockReason?: string };
  usageMetadata?: Partial<Record<(typeof counted)[number], unknown>>;
  error?: unknown;
}

interface AnsweredPart extends Pick<GeminiPart, "text" | "thoughtSignature"> {
  thought?: boolean;
  functionCall?: { id?: string; name: string; args?: object };
}

const counted = [
  "promptTokenCount",
  "cachedContentTokenCount",
  "toolUsePromptTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
] as const;

interface ReadOptions {
  signal: AbortSignal;
  keys: string[];
  sink: ProviderSink;
}

/**
 * The vendor's last word is the end of the body after a finish reason: some models and relays tell one with every chunk, so
 * that text after it counts. Where the connection stays open, nothing is waited for much longer than that.
 */
export async function readAnswer(body: ReadableStream<Uint8Array>, { signal, keys, sink }: ReadOptions): Promise<void> {
  const answer = createAnswer(keys, sink);
  const take = (batch: readonly SseEvent[]) => {
    if (batch.length === 0) sink({ type: "ping" });
    for (const { data } of batch) answer.read(JSON.parse(data));
  };
  try {
    await readEvents(body, { signal, take, phase: answer.phase });
  } catch (error) {
    // What breaks after the vendor's last word takes nothing from the answer.
    if (error instanceof ProviderError || answer.phase() === "open") throw failureOf(error);
  }
  if (!signal.aborted) sink(answer.end());
}

/** Reads candidates as they are: an answer that was blocked has none. */
function createAnswer(keys: string[], sink: ProviderSink) {
  const counts = new Map<string, number>();
  let finishReason: FinishReason | null = null;
  let isClosing = false;
  let hasCalled = false;

  function count(usage: Chunk["usageMetadata"] = {}): ProviderEvent | null {
    let isTold = false;
    for (const name of counted) {
      const tokens = tokenCount(usage[name]);
      if (tokens === undefined) continue;
      counts.set(name, tokens);
      isTold = true;
    }
    if (!isTold) return null;
    const [prompt = 0, cacheRead = 0, tools = 0, candidates = 0, thoughts = 0] = counted.map((name) => counts.get(name));
    const input = tokenSum(Math.max(0, prompt - cacheRead), tools);
    return { type: "usage", tokens: { input, cacheRead, cacheWrite: 0, output: tokenSum(candidates, thoughts) } };
  }

  return {
    read({ error, candidates, promptFeedback, usageMetadata }: Chunk) {
      if (error) throw geminiError(error, keys);
      const candidate = candidates?.[0];
      const parts = candidate?.content?.parts ?? [];
      hasCalled ||= parts.some(({ functionCall }) => functionCall !== undefined);
      for (const part of parts) tellPart(part, sink);
      const usage = count(usageMetadata);
      if (usage) sink(usage);
      else if (parts.length === 0) sink({ type: "ping" });
      if (parts.length > 0) isClosing = false;
      if (promptFeedback?.blockReason) finishReason = "content_filter";
      if (candidate?.finishReason) finishReason = finishReasonOf(candidate.finishReason, hasCalled);
      isClosing ||= Boolean(promptFeedback?.blockReason || candidate?.finishReason);
    },
    phase: (): Phase => (isClosing ? "closing" : "open"),
    end(): ProviderEvent {
      if (finishReason === null) throw new ProviderError("cut", "Gemini's answer stopped without its last word");
      return { type: "end", finishReason };
    },
  };
}

function tellPart({ text, thought, thoughtSignature, functionCall }: AnsweredPart, sink: ProviderSink) {
  const signature = thoughtSignature ? { signature: thoughtSignature } : {};
  if (functionCall) {
    const { id, name, args = {} } = functionCall;
    sink({ type: "tool-call", callId: id || crypto.randomUUID(), name, input: toolInput(args), ...signature });
  } else if (thought) {
    sink({ type: "reasoning", text: text ?? "", ...signature });
  } else {
    if (text) sink({ type: "text", text });
    // The signature of a text often comes after it, alone.
    if (thoughtSignature) sink({ type: "reasoning", text: "", ...signature });
  }
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

/** The parser's own message quotes the answer. */
function failureOf(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  if (networkError(error, "Gemini")) return new ProviderError("cut", "Gemini's answer broke off");
  return new ProviderError("invalid_stream", "Gemini sent what is no answer");
}
