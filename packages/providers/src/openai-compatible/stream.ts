import { type FinishReason, ProviderError, type ProviderEvent, type ProviderSink } from "@parley/core/ports";
import { networkError } from "../shared/http-errors.ts";
import { type Phase, readEvents, type SseEvent } from "../shared/sse.ts";
import { tokenCount } from "../shared/token-count.ts";
import { toolInput } from "../shared/tool-input.ts";

interface Chunk {
  choices?: Choice[];
  usage?: Usage | null;
  /** OpenAI's object or Ollama's sentence; older vLLM says `object: "error"` of the whole chunk. */
  error?: unknown;
  object?: string;
}

interface Choice {
  delta?: null | {
    content?: unknown;
    refusal?: unknown;
    reasoning_content?: unknown;
    reasoning?: unknown;
    tool_calls?: CallDelta[] | null;
  };
  finish_reason?: string | null;
}

interface CallDelta {
  index?: number;
  id?: string | null;
  function?: { name?: string | null; arguments?: unknown };
}

interface Usage {
  prompt_tokens?: unknown;
  completion_tokens?: unknown;
  prompt_tokens_details?: { cached_tokens?: unknown } | null;
}

interface Call {
  id: string | null | undefined;
  callId: string;
  name: string;
  text: string;
}

interface ReadOptions {
  signal: AbortSignal;
  label: string;
  /** What to make of an error that the vendor tells within the stream. */
  failure: (said: unknown) => ProviderError;
  sink: ProviderSink;
}

/**
 * The vendor's last word is a finish reason followed by `[DONE]`, or by a proper end of the body: llama.cpp and some proxies
 * leave `[DONE]` out, and some proxies send it whatever has happened, so that it proves nothing alone. After a
 * finish reason and the usage nothing is waited for much longer: some servers keep the connection open.
 */
export async function readAnswer(body: ReadableStream<Uint8Array>, { signal, label, failure, sink }: ReadOptions): Promise<void> {
  let isSilent = true;
  const answer = createAnswer((event) => {
    isSilent = false;
    sink(event);
  });
  const take = (batch: readonly SseEvent[]) => {
    isSilent = true;
    for (const { data } of batch) {
      if (data === "[DONE]") {
        answer.finish();
        break;
      }
      const chunk = parse(data);
      if (chunk.error || chunk.object === "error") throw failure(chunk.error || chunk);
      answer.read(chunk);
    }
    if (isSilent) sink({ type: "ping" });
  };
  try {
    await readEvents(body, { signal, take, phase: answer.phase });
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (answer.phase() === "open") throw failureOf(error, label);
  }
  if (!signal.aborted) sink(answer.end());
}

function failureOf(error: unknown, label: string): ProviderError {
  if (networkError(error, label)) return new ProviderError("cut", `The connection to ${label} broke off within the answer`);
  return new ProviderError("invalid_stream", `${label} sent what is no answer`);
}

function createAnswer(sink: ProviderSink) {
  const calls: Call[] = [];
  const byIndex = new Map<number, Call>();
  let finishReason: FinishReason | null = null;
  let phase: Phase = "open";
  let prompt: number | undefined;
  let cached: number | undefined;
  let output: number | undefined;

  /** The vendor's prompt includes what the cache had. */
  function count({ prompt_tokens, completion_tokens, prompt_tokens_details }: Usage): ProviderEvent | null {
    const told = [tokenCount(prompt_tokens), tokenCount(prompt_tokens_details?.cached_tokens), tokenCount(completion_tokens)];
    if (told.every((tokens) => tokens === undefined)) return null;
    prompt = told[0] ?? prompt;
    cached = told[1] ?? cached;
    output = told[2] ?? output;
    const [all = 0, cacheRead = 0] = [prompt, cached];
    return { type: "usage", tokens: { input: Math.max(0, all - cacheRead), cacheRead, cacheWrite: 0, output: output ?? 0 } };
  }

  /** What follows the finish reason is no part of the answer. */
  function readChoice({ delta: said, finish_reason }: Choice) {
    if (finishReason !== null) return;
    const delta = said ?? {};
    const reasoning = words(delta.reasoning_content) || words(delta.reasoning);
    if (reasoning) sink({ type: "reasoning", text: reasoning });
    const text = words(delta.content) || words(delta.refusal);
    if (text) sink({ type: "text", text });
    for (const call of delta.tool_calls ?? []) readCall(call);
    if (!finish_reason) return;
    finishReason = finishReasonOf(finish_reason, calls.length > 0);
    // An answer that was too long may have lost the end of a call.
    if (finishReason === "length") return;
    for (const { callId, name, text } of calls) sink({ type: "tool-call", callId, name, input: inputOf(text) });
  }

  function readCall({ index, id, function: said }: CallDelta) {
    const place = index ?? (id ? calls.length : Math.max(0, calls.length - 1));
    let call = byIndex.get(place);
    // Ollama has given the same place to each of several calls.
    if (!call || (id && call.id && id !== call.id)) {
      call = { id, callId: id || crypto.randomUUID(), name: "", text: "" };
      calls.push(call);
      byIndex.set(place, call);
    }
    call.name ||= words(said?.name);
    const text = words(said?.arguments);
    call.text += text;
    if (text !== "") sink({ type: "tool-input", callId: call.callId, name: call.name, text });
  }

  return {
    read({ choices, usage }: Chunk) {
      readChoice(choices?.[0] ?? {});
      const counted = usage && count(usage);
      if (!counted) return;
      sink(counted);
      if (finishReason !== null) phase = "closing";
    },
    finish() {
      phase = "over";
    },
    phase: () => phase,
    end(): ProviderEvent {
      if (finishReason === null) throw new ProviderError("cut", "The answer stopped without the vendor's last word");
      return { type: "end", finishReason };
    },
  };
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parse(data: string): Chunk {
  try {
    const chunk: unknown = JSON.parse(data);
    if (typeof chunk === "object" && chunk !== null) return chunk;
  } catch {
    // Told below: the parser's own message quotes the answer.
  }
  throw new ProviderError("invalid_stream", "The vendor sent an event that is not JSON");
}

function inputOf(text: string): unknown {
  if (text.trim() === "") return {};
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new ProviderError("invalid_stream", "The input of a tool call is not JSON");
  }
  return toolInput(input);
}

function finishReasonOf(reason: string, hasCalled: boolean): FinishReason {
  switch (reason) {
    case "stop":
      return hasCalled ? "tool_calls" : "stop";
    case "length":
    case "model_length":
      return "length";
    case "tool_calls":
    case "function_call":
      return "tool_calls";
    case "content_filter":
      return "content_filter";
    default:
      return "other";
  }
}
