import type { RunError, RunStatus, TokenCounts } from "@parley/contract/events";
import type { Budget } from "../budgets/budgets.ts";
import type { RunContext, ToolMark } from "../database/tables/chat.ts";
import type { Prompt } from "../generation/generate.ts";
import type { OfferedModel } from "../models/models.ts";

/** What a model is asked, and what is kept to tell of it. */
export interface Gathered {
  prompt: Prompt;
  context: RunContext;
}

export interface RunPlan {
  runId: string;
  messageId: string;
  conversationId: string;
  userId: string;
  budget: Budget | null;
  /** Who is asked, one after the other. */
  chain: readonly [OfferedModel, ...OfferedModel[]];
  mayFailOver: boolean;
  /** Called once the end is saved, with how things stand in the conversation then. */
  onEnd: (end: RunOutcome, ended: EndedRun) => void;
  /** Called instead where the message was deleted meanwhile. */
  onGone: () => void;
  /** In the background: the caller of `send` waits neither for the history nor for answers before this one. */
  gather: (signal: AbortSignal) => Promise<Gathered>;
}

export interface EndedRun {
  memberIds: string[];
  /** Of the answer: what it hangs on, and what hangs there with it. */
  parentId: string | null;
  siblingIds: string[];
}

export interface RunOutcome {
  status: RunStatus;
  /** Who answered in the end. */
  provider: string;
  model: string;
  text: string;
  reasoning: string;
  tools: ToolMark[];
  /** Null where nobody counted: its process died. */
  usage: TokenCounts | null;
  finishReason: string | null;
  error: RunError | null;
}
