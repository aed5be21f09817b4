/** What an upstream says to one call, in the words of no vendor: each wire format tells it in its own way. */
export interface Script {
  /** Without it, 200 and a stream. */
  refusal?: { status: number; type?: string; message?: string; headers?: Record<string, string>; body?: string };
  headers?: Record<string, string>;
  steps?: Step[];
  /** Tokens that the vendor counts in its own way; without it, none are told where the format allows that. */
  usage?: { input: number; cacheRead?: number; cacheWrite?: number; output: number; reasoning?: number };
  /** In the vendor's own words; `stop` by default. */
  finishReason?: "stop" | "length" | "tool_calls" | "content_filter";
  /** How the bytes travel: pieces of so many bytes, and what ends a line. */
  transport?: { pieceBytes?: number; newline?: "\n" | "\r\n" };
}

export type Step =
  | { text: string }
  | { reasoning: string; signature?: string }
  /** `pieces`: how the input is cut where the format streams it. */
  | { toolCall: { id: string; name: string; input: unknown; pieces?: number; signature?: string } }
  | { ping: true }
  | { waitMs: number }
  /** So many deltas a second, of so many characters; endless without `tokens`. */
  | { stream: { perSecond: number; tokens?: number; characters?: number } }
  /** The vendor's error inside a stream that began with 200. */
  | { error: { type: string; message: string } }
  /** These very bytes. */
  | { raw: string }
  /** Nothing more, and the connection stays open. */
  | { stall: true }
  /** The connection breaks. */
  | { cut: true }
  /** The stream ends properly on the wire, but without the vendor's last word. */
  | { silence: true };

export interface UpstreamCall {
  vendor: "anthropic" | "gemini" | "openai";
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
