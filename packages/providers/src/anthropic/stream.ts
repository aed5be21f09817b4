import { type FinishReason, ProviderError, type ProviderEvent, type ProviderSink } from "@parley/core/ports";
import type { Phase, SseEvent } from "../shared/sse.ts";
import { tokenCount } from "../shared/token-count.ts";
import { toolInput } from "../shared/tool-input.ts";
import { anthropicError, type Complaint } from "./errors.ts";
import { redactedSignature } from "./messages.ts";

/** What an answer needs of the vendor's events; servers that speak as Anthropic may send anything. */
interface Wire {
  type?: unknown;
  index?: unknown;
  message?: { usage?: WireUsage | null } | null;
  usage?: WireUsage | null;
  content_block?: WireBlock | null;
  delta?: WireDelta | null;
  error?: Complaint | null;
}

interface WireUsage {
  input_tokens?: unknown;
  cache_read_input_tokens?: unknown;
  cache_creation_input_tokens?: unknown;
  output_tokens?: unknown;
}

interface WireBlock {
  type?: unknown;
  text?: unknown;
  thinking?: unknown;
  signature?: unknown;
  data?: unknown;
  id?: unknown;
  name?: unknown;
  input?: unknown;
}

interface WireDelta {
  type?: unknown;
  text?: unknown;
  thinking?: unknown;
  signature?: unknown;
  partial_json?: unknown;
  stop_reason?: unknown;
}

type OpenBlock =
  | { type: "thinking"; signature: string }
  | { type: "tool_use"; callId: string; name: string; input: unknown; json: string };

/** Reads the vendor's events into ours. What came at once and is of one kind leaves as one event. */
export function createAnswerReader(keys: readonly string[], sink: ProviderSink) {
  const open = new Map<unknown, OpenBlock>();
  let tokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  let finishReason: FinishReason | null = null;
  let hasBrokenCall = false;
  let isOver = false;
  /** May grow while the events that came with it are read. */
  let held: ProviderEvent | null = null;
  let isSilent = true;

  function add(event: ProviderEvent) {
    if (event.type === "text" && held?.type === "text") held.text += event.text;
    else if (event.type === "reasoning" && held?.type === "reasoning" && !held.signature && !event.signature) {
      held.text += event.text;
    } else {
      flush();
      held = event;
    }
  }

  function flush() {
    if (!held) return;
    const event = held;
    held = null;
    isSilent = false;
    sink(event);
  }

  function count(usage: WireUsage | null | undefined) {
    if (!usage) return;
    const input = tokenCount(usage.input_tokens);
    const cacheRead = tokenCount(usage.cache_read_input_tokens);
    const cacheWrite = tokenCount(usage.cache_creation_input_tokens);
    const output = tokenCount(usage.output_tokens);
    if ([input, cacheRead, cacheWrite, output].every((count) => count === undefined)) return;
    tokens = {
      input: input ?? tokens.input,
      cacheRead: cacheRead ?? tokens.cacheRead,
      cacheWrite: cacheWrite ?? tokens.cacheWrite,
      output: output ?? tokens.output,
    };
    add({ type: "usage", tokens });
  }

  function start(index: unknown, block: WireBlock | null | undefined) {
    switch (block?.type) {
      case "text":
        if (block.text) add({ type: "text", text: textOf(block.text) });
        break;
      case "thinking":
        if (block.thinking) add({ type: "reasoning", text: textOf(block.thinking) });
        open.set(index, { type: "thinking", signature: textOf(block.signature ?? "") });
        break;
      case "redacted_thinking":
        add({ type: "reasoning", text: "", signature: redactedSignature(textOf(block.data)) });
        break;
      case "tool_use":
        open.set(index, { type: "tool_use", callId: textOf(block.id), name: textOf(block.name), input: block.input, json: "" });
        break;
    }
  }

  function change(index: unknown, delta: WireDelta | null | undefined) {
    switch (delta?.type) {
      case "text_delta":
        if (delta.text !== "") add({ type: "text", text: textOf(delta.text) });
        break;
      case "thinking_delta":
        if (delta.thinking !== "") add({ type: "reasoning", text: textOf(delta.thinking) });
        break;
      case "signature_delta": {
        const block = open.get(index);
        if (block?.type === "thinking") block.signature = textOf(delta.signature);
        break;
      }
      case "input_json_delta": {
        const block = open.get(index);
        const text = textOf(delta.partial_json);
        if (block?.type !== "tool_use" || text === "") break;
        block.json += text;
        add({ type: "tool-input", callId: block.callId, name: block.name, text });
        break;
      }
    }
  }

  function stop(index: unknown) {
    const block = open.get(index);
    open.delete(index);
    if (block?.type === "thinking" && block.signature) add({ type: "reasoning", text: "", signature: block.signature });
    if (block?.type !== "tool_use") return;
    const { callId, name, input, json } = block;
    let whole: unknown = input ?? {};
    try {
      if (json !== "") whole = JSON.parse(json);
    } catch {
      hasBrokenCall = true;
      return;
    }
    add({ type: "tool-call", callId, name, input: toolInput(whole) });
  }

  /** An answer that is cut short may break off within a call, which is then none. */
  function end() {
    const isShort = finishReason === "length" || finishReason === "content_filter";
    const hasOpenCall = Array.from(open.values()).some(({ type }) => type === "tool_use");
    if ((hasBrokenCall || hasOpenCall) && !isShort) throw invalid("the input of a tool call is not JSON");
    isOver = true;
    add({ type: "end", finishReason: finishReason ?? "other" });
  }

  function read(wire: Wire) {
    switch (wire.type) {
      case "content_block_delta":
        return change(wire.index, wire.delta);
      case "content_block_start":
        return start(wire.index, wire.content_block);
      case "content_block_stop":
        return stop(wire.index);
      case "message_start":
        return count(wire.message?.usage);
      case "message_delta":
        if (wire.delta?.stop_reason) finishReason = finishReasonOf(wire.delta.stop_reason);
        return count(wire.usage);
      case "message_stop":
        return end();
      case "error":
        throw anthropicError({ complaint: wire.error ?? {}, keys });
    }
  }

  return {
    /** What came before an error counts. What comes after the last word does not. */
    take(events: readonly SseEvent[]): void {
      isSilent = true;
      try {
        for (const { data } of events) if (!isOver) read(parse(data));
      } finally {
        flush();
      }
      // Whatever it was, the vendor is there.
      if (isSilent) sink({ type: "ping" });
    },
    phase: (): Phase => (isOver ? "over" : "open"),
  };
}

function parse(data: string): Wire {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Told below: the parser's own message quotes the answer.
  }
  if (typeof value === "object" && value !== null) return value;
  throw invalid("an event is not JSON");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw invalid("a text is missing in an event");
}

function invalid(what: string): ProviderError {
  return new ProviderError("invalid_stream", `Claude's answer cannot be read: ${what}`);
}

function finishReasonOf(reason: unknown): FinishReason {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
      return "stop";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "tool_use":
      return "tool_calls";
    case "refusal":
      return "content_filter";
    default:
      return "other";
  }
}
