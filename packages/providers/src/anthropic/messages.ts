import type Anthropic from "@anthropic-ai/sdk";
import type { AnswerPart, InputPart, ModelMessage, ToolResult } from "@parley/core/ports";

export type Block =
  | Anthropic.TextBlockParam
  | Anthropic.ImageBlockParam
  | Anthropic.DocumentBlockParam
  | Anthropic.ThinkingBlockParam
  | Anthropic.RedactedThinkingBlockParam
  | Anthropic.ToolUseBlockParam
  | Anthropic.ToolResultBlockParam;

export interface Message {
  role: "user" | "assistant";
  content: Block[];
}

const redacted = "redacted:";

/** What a thinking block that nobody may read is carried as. */
export function redactedSignature(data: string): string {
  return `${redacted}${data}`;
}

/** Turns alternate, tools have results and results have tools: anything else is refused for as long as it is in the history. */
export function anthropicMessages(messages: readonly ModelMessage[]): Message[] {
  const turns: Message[] = [];
  const lastUser = messages.findLastIndex(({ role }) => role === "user");
  const pairs = pairCalls(messages);
  messages.forEach((message, index) => {
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = blocksOf(message, { isCurrent: index > lastUser, paired: pairs[index] ?? new Set() });
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  });
  return turns;
}

interface Place {
  /** Since the user's last words. */
  isCurrent: boolean;
  /** The calls that were made as well as answered here. */
  paired: Set<string>;
}

function blocksOf(message: ModelMessage, place: Place): Block[] {
  switch (message.role) {
    case "user":
      return message.parts.flatMap(inputBlock);
    case "assistant":
      return answerBlocks(message.parts, place);
    case "tool":
      return message.results.filter(({ callId }) => place.paired.has(callId)).map(resultBlock);
  }
}

/** One set for each message, shared by those of one exchange with tools. */
function pairCalls(messages: readonly ModelMessage[]): Set<string>[] {
  let called = new Set<string>();
  let paired = new Set<string>();
  return messages.map((message) => {
    if (message.role === "tool") {
      for (const { callId } of message.results) if (called.has(callId)) paired.add(callId);
    } else {
      called = new Set(message.role === "assistant" ? message.parts.flatMap(callIdOf) : []);
      paired = new Set();
    }
    return paired;
  });
}

function callIdOf(part: AnswerPart): string[] {
  return part.type === "tool-call" ? [part.callId] : [];
}

function inputBlock(part: InputPart): Block[] {
  switch (part.type) {
    case "text":
      return textBlock(part.text);
    case "image":
      return [imageBlock(part)];
    case "file":
      return fileBlock(part);
  }
}

/** The API refuses texts that are empty or blank. */
function textBlock(text: string): Block[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

function imageBlock({ mediaType, data }: Extract<InputPart, { type: "image" }>): Block {
  const media_type = mediaType === "image/jpg" ? "image/jpeg" : mediaType;
  switch (media_type) {
    case "image/jpeg":
    case "image/png":
    case "image/gif":
    case "image/webp":
      return { type: "image", source: { type: "base64", media_type, data } };
    default:
      return { type: "text", text: `[An image of type ${mediaType}, which cannot be shown here]` };
  }
}

function fileBlock({ name, mediaType, data }: Extract<InputPart, { type: "file" }>): Block[] {
  const title = name ? { title: name.slice(0, 500) } : {};
  if (mediaType === "application/pdf") {
    return [{ type: "document", source: { type: "base64", media_type: mediaType, data }, ...title }];
  }
  const text = decoded(data);
  if (text === null)
    return [{ type: "text", text: `[The file ${JSON.stringify(name)} of type ${mediaType}, which cannot be read here]` }];
  return text.trim() === ""
    ? []
    : [{ type: "document", source: { type: "text", media_type: "text/plain", data: text }, ...title }];
}

/** Null for what is no text. */
function decoded(base64: string): string | null {
  try {
    const binary = atob(base64);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function answerBlocks(parts: readonly AnswerPart[], place: Place): Block[] {
  const blocks = parts.flatMap((part) => answerBlock(part, place));
  return blocks.every(({ type }) => type === "thinking" || type === "redacted_thinking") ? [] : blocks;
}

function answerBlock(part: AnswerPart, { isCurrent, paired }: Place): Block[] {
  switch (part.type) {
    case "text":
      return textBlock(part.text);
    case "reasoning":
      return isCurrent ? thoughtBlock(part.text, part.signature) : [];
    case "tool-call": {
      const { callId, name, input } = part;
      return paired.has(callId) ? [{ type: "tool_use", id: idOf(callId), name, input: inputOf(input) }] : [];
    }
  }
}

/**
 * Only while its turn goes on: newer models refuse a thought for good once anything before it has changed, which trimming a
 * history, editing a message or another system prompt does.
 */
function thoughtBlock(thinking: string, signature: string | undefined): Block[] {
  if (!signature) return [];
  if (signature.startsWith(redacted)) return [{ type: "redacted_thinking", data: signature.slice(redacted.length) }];
  return [{ type: "thinking", thinking, signature }];
}

function inputOf(input: unknown): unknown {
  return typeof input === "object" && input !== null && !Array.isArray(input) ? input : { input };
}

function resultBlock({ callId, output, isError }: ToolResult): Block {
  const content = typeof output === "string" ? output : (JSON.stringify(output) ?? "");
  return { type: "tool_result", tool_use_id: idOf(callId), ...(content && { content }), ...(isError && { is_error: true }) };
}

/** Other vendors' ids have letters that Claude's may not. */
function idOf(callId: string): string {
  return callId.replace(/[^\w-]/g, "_");
}
