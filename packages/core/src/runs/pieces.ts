import type { ToolMark } from "../database/tables/chat.ts";
import type { Position } from "./positions.ts";

type Piece = { type: "text" | "reasoning"; offset: number; text: string } | { type: "tool"; part: ToolMark["part"] };

const kinds = ["reasoning", "text"] as const;

/** An answer after a place, as it came: a call of a tool stands between what was said before and after it. */
export function* piecesOf(
  answer: { text: string; reasoning: string; tools: ToolMark[] },
  from: Pick<Position, "text" | "reasoning" | "tools">,
): Generator<Piece, void> {
  const at = { text: from.text, reasoning: from.reasoning };
  const end = { text: answer.text.length, reasoning: answer.reasoning.length, part: null };
  for (const { part, ...place } of [...answer.tools.slice(from.tools), end]) {
    for (const type of kinds) {
      const offset = at[type];
      if (place[type] <= offset) continue;
      at[type] = place[type];
      yield { type, offset, text: answer[type].slice(offset, place[type]) };
    }
    if (part) yield { type: "tool", part };
  }
}
