export type Vendor = "anthropic" | "gemini" | "openai";

/** What an upstream says to one call, in the words of no vendor: each wire format tells it in its own way. */
export interface Script {
  /** Without it, 200 and a stream. Of the steps, a refusal plays only `waitMs`, `stall` and `cut`, before it. */
  refusal?: Refusal;
  headers?: Record<string, string>;
  /** An answer without steps is an empty one. One of `raw` steps alone gets no other bytes, so recordings can be replayed. */
  steps?: Step[];
  /**
   * Tokens that the vendor counts in its own way; without it, none are told where the format allows that.
   * `input`, `cacheRead` and `cacheWrite` are disjoint; `reasoning` is a part of `output`.
   */
  usage?: Usage;
  /** Told in the vendor's own words; by default `tool_calls` where a tool is called, else `stop`. */
  finishReason?: FinishReason;
  /**
   * How the bytes travel: pieces of so many bytes, and what ends a line (`\r\n` at Gemini, else `\n`).
   * Status and headers go out with the first byte, or at once.
   */
  transport?: { pieceBytes?: number; newline?: "\n" | "\r\n"; headersAtOnce?: boolean };
}

export interface Refusal {
  status: number;
  /**
   * `quota`, `rate`, `overloaded`, `auth` and `bad_request` are told in the vendor's own words; what else is here, is one of them.
   * By default it follows from the status.
   */
  type?: string;
  message?: string;
  /** A header at Anthropic and OpenAI, `google.rpc.RetryInfo` at Gemini. */
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** In place of the vendor's error. */
  body?: string;
}

export interface Usage {
  input: number;
  cacheRead?: number;
  cacheWrite?: number;
  output: number;
  reasoning?: number;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** `pieces`: how the input is cut where the format streams it. Gemini tells no id when it is empty. */
export interface ScriptedToolCall {
  id: string;
  name: string;
  input: unknown;
  pieces?: number;
  signature?: string;
}

/** So many deltas a second, of so many characters; endless without `tokens`, until it is set. With `stamp`, each begins with ` w` and the stamp. */
export interface Deltas {
  perSecond: number;
  tokens?: number;
  characters?: number;
  stamp?: () => string;
}

export interface StreamError {
  /** As in a refusal. */
  type: string;
  message: string;
}

export type ContentStep =
  | { text: string }
  | { reasoning: string; signature?: string }
  | { toolCall: ScriptedToolCall }
  /** That the vendor is still there: an event, an empty chunk or a comment. */
  | { ping: true };

export type Step =
  | ContentStep
  | { waitMs: number }
  | { stream: Deltas }
  /** The vendor's error inside a stream that began with 200, and its end. */
  | { error: StreamError }
  /** These very bytes. */
  | { raw: string }
  /** Nothing more, and the connection stays open. */
  | { stall: true }
  /** The connection breaks. */
  | { cut: true }
  /** The stream ends properly on the wire, but without the vendor's last word. */
  | { silence: true };

export interface UpstreamCall {
  vendor: Vendor;
  /** `generate`, or the vendor's list of models. */
  kind: "generate" | "models";
  path: string;
  /** As it was sent, in the vendor's header. */
  key: string | null;
  headers: Record<string, string | undefined>;
  body: unknown;
  /** Resolves when the connection's part in this call is over, and says who ended it. */
  closed: Promise<"finished" | "by-client">;
}
