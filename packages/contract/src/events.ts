import type { ErrorReason } from "./errors.ts";

export type RunStatus = "completed" | "stopped" | "interrupted" | "failed";

export interface TokenCounts {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

/**
 * What can go wrong at a vendor. `quota`, `rate` and `auth` concern one key; `overloaded` is the vendor's own trouble (5xx, also
 * inside a stream that began well); a stream is `cut` when it stops without the vendor's last word.
 */
export type Trouble =
  | "quota"
  | "rate"
  | "overloaded"
  | "auth"
  | "bad_request"
  | "content_filter"
  | "network"
  | "timeout"
  | "cut"
  | "invalid_stream";

/** One call to a model. It has failed over when another model took its place. */
export interface Attempt {
  provider: string;
  model: string;
  outcome: "completed" | "stopped" | "failed" | "failed_over";
  /** Why it did not complete. */
  trouble?: Trouble;
  tokens: TokenCounts;
  estimated: boolean;
  costMicros: number | null;
  firstTokenMs: number | null;
  durationMs: number;
}

/** What a run cost: every attempt, and their sum. An unknown price makes the cost null. */
export interface Receipt {
  runId: string;
  attempts: Attempt[];
  total: { tokens: TokenCounts; costMicros: number | null };
}

export interface ModelRef {
  provider: string;
  model: string;
}

/** Offsets are in UTF-16 units of the answer. */
export type RunEvent =
  | {
      type: "run-start";
      runId: string;
      messageId: string;
      conversationId: string;
      provider: string;
      model: string;
      attempt: number;
    }
  | { type: "text-delta"; offset: number; text: string }
  | { type: "reasoning-delta"; offset: number; text: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown }
  | { type: "tool-result"; callId: string; output: unknown; isError: boolean }
  | { type: "failover"; from: ModelRef; to: ModelRef; reason: ErrorReason; keepThrough: number }
  | {
      type: "run-end";
      status: RunStatus;
      finishReason: string | null;
      length: number;
      receipt: Receipt;
      error?: RunError;
    };

export interface RunError {
  reason: ErrorReason;
  message: string;
}

export interface Person {
  id: string;
  name: string;
  avatar: string | null;
}

export type MessageRole = "user" | "assistant" | "system";
export type MessageStatus = "complete" | "running" | "stopped" | "interrupted" | "failed";

export type MessagePart =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "tool-call"; callId: string; name: string; input: unknown }
  | { type: "tool-result"; callId: string; output: unknown; isError: boolean };

export interface Message {
  id: string;
  conversationId: string;
  parentId: string | null;
  replyToId: string | null;
  role: MessageRole;
  type: "text" | "file" | "image" | "audio" | "error";
  author: Person | null;
  content: string;
  parts: MessagePart[];
  status: MessageStatus;
  runId: string | null;
  model: string | null;
  provider: string | null;
  usage: TokenCounts | null;
  finishReason: string | null;
  error: RunError | null;
  siblings: { ids: string[]; index: number };
  /**
   * Later with every edit. Events of two nodes may overtake one another: of two states of a message, the one with the later
   * `editedAt` holds, and null is the earliest.
   */
  editedAt: Date | null;
  metadata: Record<string, unknown>;
  createdAt: Date;
}

export type MemberRole = "owner" | "editor" | "viewer";

export interface Conversation {
  id: string;
  title: string;
  description: string | null;
  visibility: "private" | "public";
  archivedAt: Date | null;
  pinned: boolean;
  tags: string[];
  metadata: Record<string, unknown>;
  model: string | null;
  systemPrompt: string | null;
  shareUrl: string | null;
  members: { user: Person; role: MemberRole }[];
  myRole: MemberRole;
  lastMessage: { id: string; role: MessageRole; excerpt: string; createdAt: Date } | null;
  messageCount: number;
  unreadCount: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What the room is told while a person, or the model, is at it. */
export type Typist = Person | "model";

export interface Notification {
  id: string;
  kind: "alert";
  title: string;
  text: string;
  data: Record<string, unknown>;
  createdAt: Date;
}

/** Everything that concerns one person, on all of that person's devices. */
export type LiveEvent =
  | { type: "conversation-created" | "conversation-updated"; conversation: Conversation }
  | { type: "conversation-deleted"; conversationId: string }
  | { type: "message-created" | "message-updated"; message: Message }
  | { type: "message-deleted"; conversationId: string; messageId: string }
  | { type: "run-started"; conversationId: string; messageId: string; runId: string; model: string }
  | { type: "run-ended"; conversationId: string; messageId: string; runId: string; status: RunStatus }
  | { type: "member-joined" | "member-left"; conversationId: string; user: Person }
  | { type: "read"; conversationId: string; userId: string; messageId: string }
  | { type: "session-ended"; sessionId: string }
  | { type: "notification"; notification: Notification }
  | PassingEvent
  | { type: "resync" };

/** What is told to whoever listens now, and kept nowhere: these carry the id of the last event that is. */
export type PassingEvent =
  | { type: "presence"; conversationId: string; users: Person[] }
  | { type: "typing"; conversationId: string; who: Typist; typing: boolean };
