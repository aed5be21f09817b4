import type { Message, MessagePart } from "@parley/contract/events";
import { piecesOf } from "./pieces.ts";
import { beginning } from "./positions.ts";
import type { RunOutcome } from "./run.ts";

const messageStatus = { completed: "complete", stopped: "stopped", interrupted: "interrupted", failed: "failed" } as const;

type Answer = Pick<RunOutcome, "status" | "text" | "reasoning" | "tools">;

/** What a message becomes of an answer, in the store and for those who watch. */
export function answerFields(answer: Answer) {
  const { status, text } = answer;
  const type: Message["type"] = status === "failed" && text === "" ? "error" : "text";
  return { content: text, parts: partsOf(answer), type, status: messageStatus[status] };
}

function partsOf(answer: Answer): MessagePart[] {
  return Array.from(piecesOf(answer, beginning), (piece) =>
    piece.type === "tool" ? piece.part : { type: piece.type, text: piece.text },
  );
}

export function finished(message: Message, outcome: RunOutcome): Message {
  const { provider, model, usage, finishReason, error } = outcome;
  return { ...message, ...answerFields(outcome), provider, model, usage, finishReason, error };
}
