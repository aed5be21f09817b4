import type { AnswerPart, GenerateRequest, InputPart, ModelMessage, Tool, ToolResult } from "@parley/core/ports";
import { fileText } from "../shared/file-text.ts";
import type { OpenaiFailure } from "./errors.ts";

/** What servers of this kind disagree about: a request can do without each of them. */
const optionalFields = [
  "stream_options",
  "tool_choice",
  "reasoning_effort",
  "temperature",
  "top_p",
  "top_k",
  "max_tokens",
  "max_completion_tokens",
] as const;
export type OptionalField = (typeof optionalFields)[number];

export interface Dialect {
  isOpenai: boolean;
  /** What this server has refused for this model. */
  refused: ReadonlySet<OptionalField>;
}

export function openaiRequest(request: GenerateRequest, { isOpenai, refused }: Dialect) {
  const { model, temperature, topP, topK, maxTokens, reasoning, tools } = request;
  // OpenAI's models that reason refuse `max_tokens`; most other servers know nothing else.
  const asOpenai = isOpenai ? !refused.has("max_completion_tokens") : refused.has("max_tokens");
  const fields: Partial<Record<OptionalField, unknown>> = {
    stream_options: { include_usage: true },
    tool_choice: tools.length > 0 ? "auto" : null,
    reasoning_effort: reasoning === "off" ? null : reasoning,
    temperature,
    top_p: topP,
    top_k: isOpenai ? null : topK,
  };
  const sent = optionalFields.filter((name) => !refused.has(name) && (fields[name] ?? null) !== null);
  return {
    model,
    stream: true,
    messages: messagesOf(request),
    ...Object.fromEntries(sent.map((name) => [name, fields[name]])),
    [asOpenai ? "max_completion_tokens" : "max_tokens"]: maxTokens,
    ...(tools.length > 0 && { tools: tools.map(declaration) }),
  };
}

/** What a server complains of that it can be spared, by the name that it gives it. */
export function refusedField(body: object, { status, param, code, message }: OpenaiFailure): OptionalField | undefined {
  if ((status !== 400 && status !== 422) || code === "context_length_exceeded") return undefined;
  const sent = optionalFields.filter((name) => name in body);
  return sent.find((name) => name === param) ?? sent.find((name) => new RegExp(`\\b${name}\\b`).test(message));
}

function declaration({ name, description, inputSchema }: Tool) {
  return { type: "function", function: { name, description, parameters: inputSchema } };
}

function messagesOf({ system, messages }: GenerateRequest) {
  return [...(system ? [{ role: "system", content: system }] : []), ...messages.flatMap(messageOf)];
}

function messageOf(message: ModelMessage): object[] {
  switch (message.role) {
    case "user":
      return message.parts.length === 0 ? [] : [{ role: "user", content: userContent(message.parts) }];
    case "assistant":
      return assistantMessage(message.parts);
    case "tool":
      return message.results.map((result) => ({ role: "tool", tool_call_id: result.callId, content: toolContent(result) }));
  }
}

/** Text goes as text: not every server reads lists. */
function userContent(parts: InputPart[]) {
  const contents = parts.map(inputPart);
  const texts = contents.flatMap((content) => ("text" in content ? [content.text] : []));
  return texts.length === contents.length ? texts.join("\n\n") : contents;
}

function inputPart(part: InputPart) {
  if (part.type === "text") return { type: "text", text: part.text };
  const url = `data:${part.mediaType};base64,${part.data}`;
  if (part.type === "image") return { type: "image_url", image_url: { url } };
  const text = fileText(part);
  return text === null ? { type: "file", file: { filename: part.name, file_data: url } } : { type: "text", text };
}

function assistantMessage(parts: AnswerPart[]): object[] {
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  const calls = parts.flatMap((part) => (part.type === "tool-call" ? [part] : []));
  if (text === "" && calls.length === 0) return [];
  const tool_calls = calls.map(({ callId, name, input }) => ({
    id: callId,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
  return [{ role: "assistant", content: text || null, ...(calls.length > 0 && { tool_calls }) }];
}

function toolContent({ output, isError }: ToolResult): string {
  const text = typeof output === "string" ? output : (JSON.stringify(output) ?? "");
  return isError ? `Error: ${text}` : text;
}
