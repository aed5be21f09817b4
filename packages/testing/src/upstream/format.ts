import type { ContentStep, Deltas, FinishReason, Refusal, Script, StreamError } from "./script.ts";

export interface Asked {
  model: string;
  /** OpenAI tells usage in a stream only when asked to. */
  wantsUsage: boolean;
}

/** How a vendor puts things on the wire. Lines end with `\n` here. */
export interface Format {
  newline: "\n" | "\r\n";
  answer(script: Script, asked: Asked): Answer;
  /** What a call gets that asked for no stream. */
  whole(script: Script, asked: Asked): unknown;
  refusal(refusal: Refusal, asked: Asked): Refused;
  list(models: ListedModel[], query: URLSearchParams): unknown;
}

export interface Refused {
  headers: Record<string, string>;
  body: unknown;
}

/** One streamed answer, told piece by piece. Each string is what the vendor would send at once. */
export interface Answer {
  open(): string;
  tell(step: ContentStep): string[];
  error(error: StreamError): string;
  close(): string;
}

/** Fields beside the id are the vendor's own, and replace what the upstream would say. */
export type ListedModel = { id: string } & Record<string, unknown>;

export function event(data: unknown, name?: string): string {
  return `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
}

export function finishReasonOf({ finishReason, steps = [] }: Script): FinishReason {
  return finishReason ?? (steps.some((step) => "toolCall" in step) ? "tool_calls" : "stop");
}

/** Seconds, wherever the script has them: a test of all vendors sets the header, and Gemini has it in the body. */
export function retryAfterOf({ retryAfterSeconds, headers = {} }: Refusal): number | undefined {
  if (retryAfterSeconds !== undefined) return retryAfterSeconds;
  const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "retry-after");
  return header ? Number(header[1]) : undefined;
}

export function cutInto(text: string, count: number): string[] {
  const characters = Array.from(text);
  const size = Math.max(1, Math.ceil(characters.length / count));
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}

export function deltaText({ characters, stamp }: Deltas): string {
  return stamp ? ` w${stamp()}`.padEnd(characters ?? 0, "x") : " word".padEnd(characters ?? 5, "x").slice(0, characters);
}

export interface Collected {
  text: string;
  reasoning: string;
  signature: string | undefined;
  toolCalls: { id: string; name: string; input: unknown; signature?: string }[];
}

/** What the steps say in all, for an answer in one piece. */
export function collect(script: Script): Collected {
  const all: Collected = { text: "", reasoning: "", signature: undefined, toolCalls: [] };
  for (const step of script.steps ?? []) {
    if ("text" in step) all.text += step.text;
    else if ("reasoning" in step) {
      all.reasoning += step.reasoning;
      all.signature = step.signature ?? all.signature;
    } else if ("toolCall" in step) all.toolCalls.push(step.toolCall);
    else if ("stream" in step) {
      all.text += Array.from({ length: step.stream.tokens ?? 0 }, () => deltaText(step.stream)).join("");
    }
  }
  return all;
}
