import type { RunEvent } from "@parley/contract/events";
import type { FeedSink } from "../feed.ts";
import { receiptOf } from "../tokens/costs.ts";
import { piecesOf } from "./pieces.ts";
import { formatPosition, type Position } from "./positions.ts";
import type { SavedRun } from "./queries.ts";

/** Gives what a follower at this position has not seen of a saved run, and says where the follower is then. */
export function handOver(runId: string, run: SavedRun, from: Position, sink: FeedSink<RunEvent>): Position {
  const { messageId, conversationId, provider, model, status, attempts, finishReason, error } = run;
  // The writer lives, and what this follower has seen of it is not saved yet.
  if (status === "running" && run.failovers.length < from.failovers) return from;
  const position = { ...from, isWithin: false };
  const entries: { id: string; event: RunEvent }[] = [];
  const give = (event: RunEvent) => entries.push({ id: formatPosition({ ...position, isWithin: true }), event });

  if (position.seq === 0) {
    position.seq = 1;
    give({ type: "run-start", runId, messageId, conversationId, provider, model, attempt: 1 });
  }
  if (run.failovers.length !== position.failovers) {
    // What this follower has of the text is void. A crash may also have taken a failover back that it has seen.
    const { from, to, reason } = run.failovers.at(-1) ?? {
      from: { provider, model },
      to: { provider, model },
      reason: "unavailable",
    };
    Object.assign(position, { text: 0, reasoning: 0, tools: 0, failovers: run.failovers.length });
    give({ type: "failover", from, to, reason, keepThrough: 0 });
  }
  position.seq = Math.max(position.seq, run.seq);
  for (const piece of piecesOf(run, position)) {
    if (piece.type === "tool") {
      position.tools++;
      give(piece.part);
    } else {
      const { type, offset, text } = piece;
      position[type] = offset + text.length;
      give({ type: `${type}-delta`, offset, text });
    }
  }
  const isPastEnd = from.seq === run.seq + 1 && !from.isWithin;
  if (status !== "running" && !isPastEnd) {
    position.seq = run.seq + 1;
    const receipt = receiptOf(runId, attempts);
    give({ type: "run-end", status, finishReason, length: run.text.length, receipt, ...(error && { error }) });
  }
  const last = entries.at(-1);
  if (last) last.id = formatPosition(position);
  for (const [index, entry] of entries.entries()) sink.entry(entry, index + 1 < entries.length);
  return position;
}
