import type { GenerateRequest, InputPart, ModelMessage } from "./provider.ts";

/** A vendor's own count replaces it as soon as there is one. */
export function estimateTokens(text: string): number {
  let thousandths = 0;
  for (let at = 0; at < text.length; at += 1) thousandths += weigh(text.charCodeAt(at));
  return Math.ceil(thousandths / 1_000);
}

function weigh(unit: number): number {
  if (unit < 0x80) return 250;
  if (unit < 0x600) return 420;
  return unit < 0x3000 ? 400 : 750;
}

const messageOverhead = 4;
const imageTokens = 1_600;
const bytesPerFileToken = 4;

export function estimateRequest({ system, messages, tools }: Pick<GenerateRequest, "system" | "messages" | "tools">): number {
  let tokens = system === null ? 0 : messageOverhead + estimateTokens(system);
  for (const message of messages) tokens += messageOverhead + estimateMessage(message);
  for (const tool of tools) tokens += messageOverhead + estimateTokens(JSON.stringify(tool));
  return tokens;
}

function estimateMessage(message: ModelMessage): number {
  switch (message.role) {
    case "user":
      return message.parts.reduce((sum, part) => sum + estimateInput(part), 0);
    case "assistant":
      return message.parts.reduce(
        (sum, part) =>
          sum +
          (part.type === "tool-call"
            ? messageOverhead + estimateTokens(part.name) + estimateTokens(jsonOf(part.input))
            : estimateTokens(part.text)),
        0,
      );
    case "tool":
      return message.results.reduce((sum, { output }) => sum + messageOverhead + estimateTokens(jsonOf(output)), 0);
  }
}

function estimateInput(part: InputPart): number {
  switch (part.type) {
    case "text":
      return estimateTokens(part.text);
    case "image":
      return imageTokens;
    case "file":
      return Math.ceil((part.data.length * 3) / 4 / bytesPerFileToken);
  }
}

function jsonOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
