import type { ModelRef, Receipt, RunError, RunEvent, RunStatus } from "@parley/contract/events";

/**
 * An answer as far as it has come.
 *
 * @example
 * ```ts
 * const isCut = ({ status }: AssembledAnswer) => status === "stopped" || status === "interrupted";
 * ```
 */
export interface AssembledAnswer {
  runId: string | null;
  messageId: string | null;
  conversationId: string | null;
  /** Who answers now; another one after a failover. */
  model: ModelRef | null;
  text: string;
  reasoning: string;
  tools: AssembledTool[];
  /** `running` until the run has ended. */
  status: "running" | RunStatus;
  finishReason: string | null;
  receipt: Receipt | null;
  error: RunError | null;
}

/**
 * A tool that the model has called, and what it answered.
 *
 * @example
 * ```ts
 * const isBusy = ({ isError }: AssembledTool) => isError === undefined;
 * ```
 */
export interface AssembledTool {
  callId: string;
  name: string;
  input: unknown;
  /** Until the tool has answered. */
  output?: unknown;
  isError?: boolean;
}

/**
 * An answer that nothing has been heard of yet.
 *
 * @example
 * ```ts
 * let answer = emptyAnswer;
 * for await (const event of parley.chat.follow(runId)) answer = assemble(answer, event);
 * ```
 */
export const emptyAnswer: AssembledAnswer = {
  runId: null,
  messageId: null,
  conversationId: null,
  model: null,
  text: "",
  reasoning: "",
  tools: [],
  status: "running",
  finishReason: null,
  receipt: null,
  error: null,
};

/**
 * Adds an event of a run to what there is of its answer. What was had before is left as it was, so that it can be the state
 * of a component; a repeated event changes nothing.
 *
 * @example
 * ```ts
 * const [answer, add] = useReducer(assemble, emptyAnswer);
 * ```
 */
export function assemble(answer: AssembledAnswer, event: RunEvent): AssembledAnswer {
  switch (event.type) {
    case "run-start": {
      const { runId, messageId, conversationId, provider, model } = event;
      return { ...answer, runId, messageId, conversationId, model: { provider, model } };
    }
    case "text-delta":
      return { ...answer, text: spliced(answer.text, event) };
    case "reasoning-delta":
      return { ...answer, reasoning: spliced(answer.reasoning, event) };
    case "tool-call": {
      const { callId, name, input } = event;
      const others = answer.tools.filter((tool) => tool.callId !== callId);
      return { ...answer, tools: [...others, { callId, name, input }] };
    }
    case "tool-result": {
      const { callId, output, isError } = event;
      return { ...answer, tools: answer.tools.map((tool) => (tool.callId === callId ? { ...tool, output, isError } : tool)) };
    }
    case "failover": {
      const { to, keepThrough } = event;
      const tools = keepThrough === 0 ? [] : answer.tools;
      return { ...answer, model: to, text: answer.text.slice(0, keepThrough), reasoning: "", tools };
    }
    case "run-end": {
      const { status, finishReason, length, receipt, error } = event;
      // After a crash the store may hold a little less than somebody has seen.
      return { ...answer, status, finishReason, receipt, error: error ?? null, text: answer.text.slice(0, length) };
    }
    // A newer server may tell of more.
    default:
      return answer;
  }
}

function spliced(before: string, { offset, text }: { offset: number; text: string }): string {
  if (offset === before.length) return before + text;
  return offset + text.length <= before.length ? before : before.slice(0, offset) + text;
}
