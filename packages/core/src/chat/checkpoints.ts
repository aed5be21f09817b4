import type { Failover } from "../database/tables/chat.ts";
import type { Checkpoint } from "./run-queries.ts";

/** Postgres counts characters where JavaScript counts halves of surrogate pairs too. */
interface Extent {
  length: number;
  characters: number;
}

interface Saved {
  text: Extent;
  reasoning: Extent;
  failovers: number;
}

const nothing: Extent = { length: 0, characters: 0 };
export const nothingSaved: Saved = { text: nothing, reasoning: nothing, failovers: 0 };

/** What is written of an answer, and how far the last checkpoint got: the next one sends what came after. */
export interface Written {
  seq: number;
  text: string;
  reasoning: string;
  readonly failovers: Failover[];
  saved: Saved;
}

/** The row that brings the database up to now; `noteSaved` once it is there. */
export function takeCheckpoint(id: string, written: Written): { row: Checkpoint; noteSaved: () => void } {
  const { seq, text, reasoning, failovers, saved } = written;
  const failedOver = failovers.length;
  return {
    row: {
      id,
      seq,
      text: text.slice(saved.text.length),
      text_at: saved.text.characters,
      reasoning: reasoning.slice(saved.reasoning.length),
      reasoning_at: saved.reasoning.characters,
      failovers: failedOver > saved.failovers ? [...failovers] : null,
    },
    noteSaved() {
      // What was said before a failover that came meanwhile is void: the next checkpoint begins anew.
      if (failovers.length > failedOver) return;
      written.saved = {
        text: extent(text, written.saved.text),
        reasoning: extent(reasoning, written.saved.reasoning),
        failovers: failedOver,
      };
    },
  };
}

function extent(text: string, before: Extent): Extent {
  const added = text.slice(before.length);
  const pairs = added.match(/[\ud800-\udbff]/g)?.length ?? 0;
  return { length: text.length, characters: before.characters + added.length - pairs };
}
