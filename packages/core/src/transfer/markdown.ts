import type { MessagePart } from "@parley/contract/events";
import type { SavedConversation, SavedMessage } from "./queries.ts";

/**
 * What people wrote stands in quotes: whatever it opens (a fence, a list, a heading) ends with them, so that every heading
 * that is not quoted is ours.
 */
export function markdownMessage(message: SavedMessage): string {
  const heading = `## ${inline(speaker(message))} · ${minute(message.createdAt)}${message.editedAt ? " · edited" : ""}`;
  const hasText = message.parts.some(({ type }) => type === "text");
  const blocks = message.parts.map(block);
  if (!hasText && message.content !== "") blocks.push(quote(message.content));
  return [heading, ...blocks, ...outcome(message)].map((written) => `${written}\n`).join("\n");
}

export function markdownHead({ title, description }: SavedConversation): string {
  const heading = `# ${inline(title)}\n`;
  return description ? `${heading}\n${quote(description)}\n` : heading;
}

function speaker({ role, author, model }: SavedMessage): string {
  if (role === "assistant") return model === null ? "Assistant" : `Assistant (${model})`;
  return role === "system" ? "System" : (author?.name ?? "Somebody");
}

function block(part: MessagePart): string {
  switch (part.type) {
    case "text":
      return quote(part.text);
    case "reasoning":
      return `<details><summary>Reasoning</summary>\n\n${fence(part.text, "text")}\n\n</details>`;
    case "tool-call":
      return `**Tool call: ${inline(part.name)}**\n\n${fenceValue(part.input)}`;
    case "tool-result":
      return `**${part.isError ? "Tool error" : "Tool result"}**\n\n${fenceValue(part.output)}`;
  }
}

function outcome({ role, status, error }: SavedMessage): string[] {
  if (role !== "assistant" || status === "complete") return [];
  if (status === "running") return ["*This answer is still being written.*"];
  const why = status === "failed" && error ? `: ${inline(error.message)}` : ".";
  return [`*This answer ${status === "failed" ? "has failed" : `was ${status}`}${why}*`];
}

function quote(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => (line === "" ? ">" : `> ${line}`))
    .join("\n");
}

/** Longer than any fence within. */
function fence(text: string, language: string): string {
  let length = 3;
  for (const [run] of text.matchAll(/`{3,}/g)) length = Math.max(length, run.length + 1);
  const marks = "`".repeat(length);
  return `${marks}${language}\n${text}\n${marks}`;
}

function fenceValue(value: unknown): string {
  return typeof value === "string" ? fence(value, "text") : fence(JSON.stringify(value ?? null, null, 2), "json");
}

/** Text within a line of ours: it opens nothing, and does not turn the line around. */
function inline(text: string): string {
  return text
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim()
    .replace(/[\\`*_[\]<>&#|~!$]/g, "\\$&");
}

function minute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
