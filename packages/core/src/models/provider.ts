import type { Model } from "@parley/contract";
import type { TokenCounts, Trouble } from "@parley/contract/events";

export type { Trouble };

/** Bytes are base64. */
export type InputPart =
  | { type: "text"; text: string }
  | { type: "image"; mediaType: string; data: string }
  | { type: "file"; name: string; mediaType: string; data: string };

/** A signature is the vendor's own, and goes back to it unread with the part that it came with. */
export type AnswerPart =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string; signature?: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown; signature?: string };

export interface ToolResult {
  callId: string;
  name: string;
  output: unknown;
  isError: boolean;
}

export type ModelMessage =
  | { role: "user"; parts: InputPart[] }
  | { role: "assistant"; parts: AnswerPart[] }
  | { role: "tool"; results: ToolResult[] };

export interface Tool {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Record<string, unknown>;
}

export type Reasoning = "off" | "low" | "medium" | "high";

/** Thoughts count as output, and within its limit: where nobody sets one, they get so much more. */
export const thoughtTokens: Record<Reasoning, number> = { off: 0, low: 1_024, medium: 8_192, high: 24_576 };

export interface GenerateRequest {
  /** As the vendor names it. */
  model: string;
  system: string | null;
  messages: ModelMessage[];
  tools: Tool[];
  /** Null leaves it to the vendor. */
  temperature: number | null;
  topP: number | null;
  topK: number | null;
  /** A hard limit, thoughts included: a budget has set aside so much and no more. */
  maxTokens: number;
  reasoning: Reasoning;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "other";

export type ProviderEvent =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string; signature?: string }
  /** A tool's input as it comes; the whole of it follows as `tool-call`. */
  | { type: "tool-input"; callId: string; name: string; text: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown; signature?: string }
  /** So far, and in all: the last one counts. */
  | { type: "usage"; tokens: TokenCounts }
  /** The vendor is still there, and has nothing to say yet. */
  | { type: "ping" }
  | { type: "end"; finishReason: FinishReason };

/** Told what a vendor says, as it says it. */
export type ProviderSink = (event: ProviderEvent) => void;

/** The message is for operators, and free of keys. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly trouble: Trouble;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(trouble: Trouble, message: string, extra: { status?: number; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: extra.cause });
    this.trouble = trouble;
    this.status = extra.status;
    this.retryAfterMs = extra.retryAfterMs;
  }
}

/** A model as its provider knows it. Where models of two providers share an id, the later one gets its provider's name before it. */
export type ModelEntry = Omit<Model, "provider" | "isDefault">;

/** What nobody has said anything of. */
export const unknownModel: Omit<ModelEntry, "id" | "name"> = {
  contextLength: null,
  outputLimit: null,
  inputs: ["text"],
  tools: false,
  reasoning: false,
  prices: null,
  retired: false,
  plans: null,
};

/** What a vendor says of its models; what it does not say is not there. */
export type VendorModel = Pick<ModelEntry, "id"> & Partial<ModelEntry>;

export interface ProviderCall {
  /** The position of the key to use. */
  key: number;
  signal: AbortSignal;
}

/** One vendor. Calls fail with a `ProviderError`; an aborted one closes its connection and may end without a word. */
export interface Provider {
  readonly name: string;
  /** As people call it. */
  readonly label: string;
  /** How many keys it was given: core chooses by position and sees none. A vendor that needs none has one place; 0 is not configured. */
  readonly keys: number;
  /** On this machine or in this network: nobody counts, and nothing costs. */
  readonly isLocal: boolean;
  /** Tells apart who may be offered other models: keys and address as one hash. Nodes share what the vendor lists to it. */
  readonly account?: string;
  /** Offered only while nothing else is. */
  readonly isStandIn?: boolean;
  /** What it is known to offer before it was asked. */
  readonly models: ModelEntry[];
  readonly defaults: Pick<GenerateRequest, "temperature" | "topP" | "topK" | "maxTokens">;
  /** Resolves after the last event, and nothing is said after that. A stream that finishes without an `end` event was cut. */
  stream(request: GenerateRequest, call: ProviderCall, sink: ProviderSink): Promise<void>;
  /** What the vendor offers to this key now. */
  listModels(call: ProviderCall): Promise<VendorModel[]>;
}
