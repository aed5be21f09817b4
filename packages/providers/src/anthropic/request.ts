import type Anthropic from "@anthropic-ai/sdk";
import { type GenerateRequest, thoughtTokens } from "@parley/core/ports";
import { anthropicMessages, type Block, type Message } from "./messages.ts";
import type { Dialect } from "./models.ts";

type Params = Anthropic.MessageCreateParamsStreaming;
type Thinking = Pick<Params, "thinking" | "output_config" | "max_tokens">;

const smallestBudget = 1_024;

/** Under this many characters nothing is worth keeping, and most models keep nothing. */
const cachedFrom = 8_000;
const cached: Pick<Anthropic.TextBlockParam, "cache_control"> = { cache_control: { type: "ephemeral" } };

export interface AnthropicRequest {
  /** The version of the API, which decides what a body may hold: the newer one knows no sampling. */
  version: "2023-06-01" | "2026-10-21";
  body: Params & { temperature?: number; top_p?: number; top_k?: number };
}

export function anthropicRequest(request: GenerateRequest, dialect: Dialect): AnthropicRequest {
  const { model, tools } = request;
  const messages = anthropicMessages(request.messages);
  const thinking = thinkingOf(request, messages, dialect);
  const sampling = dialect.sampling && !thinking.thinking ? samplingOf(request) : {};
  const system = request.system?.trim() ? request.system : null;
  const isCached = sizeOf({ system, tools, messages }) > cachedFrom;
  if (isCached) markForCache(messages);
  return {
    version: Object.keys(sampling).length > 0 ? "2023-06-01" : "2026-10-21",
    body: {
      model,
      stream: true,
      ...thinking,
      ...sampling,
      ...(system !== null && { system: [{ type: "text", text: system, ...(isCached && cached) }] }),
      ...(tools.length > 0 && { tools: toolsOf(tools, isCached && system === null) }),
      messages,
    },
  };
}

/** Models since 4.1 take one of temperature and top_p, not both. */
function samplingOf({ temperature, topP, topK }: GenerateRequest) {
  return {
    ...(temperature !== null && { temperature: Math.min(1, temperature) }),
    ...(temperature === null && topP !== null && { top_p: topP }),
    ...(topK !== null && { top_k: topK }),
  };
}

function thinkingOf({ reasoning, maxTokens }: GenerateRequest, messages: Message[], dialect: Dialect): Thinking {
  const max_tokens = Math.min(maxTokens, dialect.outputLimit ?? Number.POSITIVE_INFINITY);
  const silent = { max_tokens };
  if (dialect.thinking === "none") return silent;
  if (reasoning === "off") {
    switch (dialect.off) {
      case "unasked":
        return silent;
      case "disabled":
      case "between_tools":
        return { ...silent, thinking: { type: dialect.off } };
      case "never":
        return { max_tokens, output_config: { effort: "low" } };
    }
  }
  if (dialect.thinking === "adaptive") {
    return { max_tokens, thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: reasoning } };
  }
  // The answer keeps at least half of what there is.
  const budget = Math.min(thoughtTokens[reasoning], Math.floor(max_tokens / 2));
  if (budget < smallestBudget || beganWithoutThought(messages)) return silent;
  return { max_tokens, thinking: { type: "enabled", budget_tokens: budget } };
}

/** A turn that has called tools goes on as it began: models with a budget refuse to think from its middle on. */
function beganWithoutThought(messages: Message[]): boolean {
  const results = messages.at(-1)?.content.some(({ type }) => type === "tool_result") ?? false;
  const first = messages.at(-2)?.content[0]?.type;
  return results && first !== "thinking" && first !== "redacted_thinking";
}

function toolsOf(tools: GenerateRequest["tools"], isCached: boolean): Anthropic.Tool[] {
  return tools.map(({ name, description, inputSchema }, index) => ({
    name,
    ...(description && { description }),
    input_schema: { ...inputSchema, type: "object" },
    ...(isCached && index === tools.length - 1 && cached),
  }));
}

/** The end of this request is what the next one begins with; the user's words before it are the end of the one before. */
function markForCache(messages: Message[]) {
  const before = messages.slice(0, -1).findLast(({ role }) => role === "user");
  for (const message of [before, messages.at(-1)]) {
    const block = message?.content.findLast(mayBeMarked);
    if (block) block.cache_control = { type: "ephemeral" };
  }
}

function mayBeMarked(block: Block): block is Exclude<Block, { type: "thinking" | "redacted_thinking" }> {
  return block.type !== "thinking" && block.type !== "redacted_thinking";
}

function sizeOf({ system, tools, messages }: Pick<GenerateRequest, "system" | "tools"> & { messages: Message[] }): number {
  let size = system?.length ?? 0;
  for (const tool of tools) size += JSON.stringify(tool).length;
  for (const { content } of messages) for (const block of content) size += sizeOfBlock(block);
  return size;
}

function sizeOfBlock(block: Block): number {
  switch (block.type) {
    case "text":
      return block.text.length;
    case "image":
    case "document":
      return "data" in block.source ? block.source.data.length : 0;
    case "thinking":
      return block.thinking.length;
    case "redacted_thinking":
      return block.data.length;
    case "tool_use":
      return JSON.stringify(block.input).length;
    case "tool_result":
      return block.content?.length ?? 0;
  }
}
