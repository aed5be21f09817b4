import {
  type AnswerPart,
  type GenerateRequest,
  type InputPart,
  type ModelMessage,
  type Reasoning,
  type Tool,
  type ToolResult,
  thoughtTokens,
} from "@parley/core/ports";
import { fileText } from "../shared/file-text.ts";
import { geminiSchema } from "./schema.ts";

export interface GeminiPart {
  text?: string;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
  functionCall?: { id: string; name: string; args: object };
  functionResponse?: { id: string; name: string; response: object };
}

interface GeminiContent {
  role: "user" | "model";
  parts: GeminiPart[];
}

interface ThinkingConfig {
  includeThoughts: boolean;
  thinkingBudget?: number;
  thinkingLevel?: Level;
}

type Level = "minimal" | "low" | "medium" | "high";

export function geminiRequest(request: GenerateRequest) {
  const version = versionOf(request.model);
  const thinkingConfig = thinkingFor(request, version);
  return {
    ...(request.system && { systemInstruction: { role: "system", parts: [{ text: request.system }] } }),
    contents: contentsOf(request.messages, version >= 3),
    ...(request.tools.length > 0 && { tools: [{ functionDeclarations: request.tools.map(declaration) }] }),
    generationConfig: {
      maxOutputTokens: request.maxTokens,
      ...(takesSampling(version) && samplingOf(request)),
      ...(thinkingConfig && { thinkingConfig }),
    },
  };
}

/** 2.5 for gemini-2.5-flash; the newest for gemini-flash-latest and its kind; 0 for what is not Gemini. */
function versionOf(model: string): number {
  const [, version] = /gemini-(?:\w+-)*?(\d+(?:\.\d+)?)/.exec(model) ?? [];
  if (version) return Number(version);
  return /gemini-.*latest/.test(model) ? Number.POSITIVE_INFINITY : 0;
}

/** Since 3.5 the vendor ignores these, and announces that later models will refuse them. */
const takesSampling = (version: number) => version < 3.5;

function samplingOf({ temperature, topP, topK }: GenerateRequest) {
  return { ...(temperature !== null && { temperature }), ...(topP !== null && { topP }), ...(topK !== null && { topK }) };
}

function thinkingFor({ model, reasoning, maxTokens }: GenerateRequest, version: number): ThinkingConfig | null {
  if (version < 2.5 || /image|tts|audio|live|computer/.test(model)) return null;
  const includeThoughts = reasoning !== "off";
  if (version < 3) {
    // Thoughts count as output: half of it is left to the answer.
    const wanted = Math.min(thoughtTokens[reasoning], Math.floor(maxTokens / 2));
    return { includeThoughts, thinkingBudget: Math.max(wanted, leastBudget(model, reasoning)) };
  }
  if (reasoning === "off") return { includeThoughts, thinkingLevel: leastLevel(model) };
  return { includeThoughts, thinkingLevel: reasoning === "medium" ? middleLevel(model) : reasoning };
}

/** Pro cannot do without thoughts, and Flash-Lite has none or many. */
function leastBudget(model: string, reasoning: Reasoning): number {
  if (model.includes("pro")) return 128;
  return model.includes("lite") && reasoning !== "off" ? 512 : 0;
}

/** From 3 on all think. Only the first Flash and Flash-Lite know `minimal`; the others answer 400 to it. */
const leastLevel = (model: string): Level => (/gemini-3-flash|\d-flash-lite/.test(model) ? "minimal" : "low");

/** The first Pro knows `low` and `high` only. */
const middleLevel = (model: string): Level => (model.includes("gemini-3-pro") ? "high" : "medium");

function contentsOf(messages: ModelMessage[], signs: boolean): GeminiContent[] {
  const names = new Map(messages.flatMap(callsOf).map(({ callId, name }) => [callId, name]));
  const contents: GeminiContent[] = [];
  for (const message of messages) {
    const role = message.role === "assistant" ? "model" : "user";
    const parts = partsOf(message, names, signs);
    const last = contents.at(-1);
    // Gemini wants its roles in turn, and refuses a turn without a word.
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  }
  return contents;
}

function callsOf(message: ModelMessage) {
  return message.role === "assistant" ? message.parts.filter((part) => part.type === "tool-call") : [];
}

function partsOf(message: ModelMessage, names: Map<string, string>, signs: boolean): GeminiPart[] {
  switch (message.role) {
    case "user":
      return message.parts.flatMap(inputPart);
    case "assistant":
      return answerParts(message.parts, signs);
    case "tool":
      return message.results.map((result) => toolResponse(result, names));
  }
}

function inputPart(part: InputPart): GeminiPart[] {
  if (part.type === "text") return part.text === "" ? [] : [{ text: part.text }];
  const text = part.type === "file" ? fileText(part) : null;
  return [text === null ? { inlineData: { mimeType: part.mediaType, data: part.data } } : { text }];
}

/** Stands where the vendor wants a signature and there is none: for a call that another model made. */
const noSignature = "skip_thought_signature_validator";

function answerParts(answer: AnswerPart[], signs: boolean): GeminiPart[] {
  const parts: GeminiPart[] = [];
  let textSignature: string | undefined;
  for (const part of answer) {
    // Thoughts are not given back, only the signature that came for the text after them.
    if (part.type === "reasoning") textSignature = part.signature ?? textSignature;
    else if (part.type === "tool-call") parts.push(functionCall(part));
    else if (part.text !== "") parts.push({ text: part.text });
  }
  const firstCall = parts.find((part) => part.functionCall);
  if (signs && firstCall) firstCall.thoughtSignature ??= noSignature;
  const lastText = parts.findLast((part) => part.text !== undefined);
  if (textSignature && lastText) lastText.thoughtSignature = textSignature;
  return parts;
}

function functionCall({ callId, name, input, signature }: Extract<AnswerPart, { type: "tool-call" }>): GeminiPart {
  const args = typeof input === "object" && input !== null && !Array.isArray(input) ? input : { value: input };
  return { functionCall: { id: callId, name, args }, ...(signature && { thoughtSignature: signature }) };
}

/** The name has to be that of the call, whatever the result says. */
function toolResponse({ callId, name, output, isError }: ToolResult, names: Map<string, string>): GeminiPart {
  const response = isError ? { error: output } : { output };
  return { functionResponse: { id: callId, name: names.get(callId) ?? name, response } };
}

function declaration({ name, description, inputSchema }: Tool) {
  const parameters = geminiSchema(inputSchema);
  return { name, description, ...(parameters && { parameters }) };
}
