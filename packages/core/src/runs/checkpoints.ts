import type { Failover, RunContext, ToolMark } from "../database/tables/chat.ts";
import type { Checkpoint } from "./queries.ts";

/** Postgres counts characters where JavaScript counts halves of surrogate pairs too. */
interface Extent {
  length: number;
  characters: number;
}

interface Saved {
  text: Extent;
  reasoning: Extent;
  failovers: number;
  tools: number;
  context: boolean;
}

const nothing: Extent = { length: 0, characters: 0 };
export const nothingSaved: Saved = { text: nothing, reasoning: nothing, failovers: 0, tools: 0, context: false };

/** What is written of an answer, and how far the last checkpoint got: the next one sends what came after. */
export interface AnswerSoFar {
  seq: number;
  text: string;
  reasoning: string;
  readonly failovers: Failover[];
  readonly tools: ToolMark[];
  /** Null until the request is put together. */
  context: RunContext | null;
  saved: Saved;
}

/** The row that brings the database up to now; `noteSaved` once it is there. */
export function takeCheckpoint(id: string, answer: AnswerSoFar): { row: Checkpoint; noteSaved: () => void } {
  const { seq, text, reasoning, failovers, tools, context, saved } = answer;
  const failedOver = failovers.length;
  const called = tools.length;
  return {
    row: {
      id,
      seq,
      text: text.slice(saved.text.length),
      textAt: saved.text.characters,
      reasoning: reasoning.slice(saved.reasoning.length),
      reasoningAt: saved.reasoning.characters,
      failovers: failedOver > saved.failovers ? [...failovers] : null,
      tools: called > saved.tools ? [...tools] : null,
      context: saved.context ? null : context,
    },
    noteSaved() {
      // What was said before a failover that came meanwhile is void: the next checkpoint begins anew.
      if (failovers.length > failedOver) return;
      answer.saved = {
        text: extent(text, answer.saved.text),
        reasoning: extent(reasoning, answer.saved.reasoning),
        failovers: failedOver,
        tools: called,
        context: context !== null,
      };
    },
  };
}

function extent(text: string, before: Extent): Extent {
  const added = text.slice(before.length);
  const pairs = added.match(/[\ud800-\udbff]/g)?.length ?? 0;
  return { length: text.length, characters: before.characters + added.length - pairs };
}
