import type { Message, RunStatus } from "@parley/contract/events";
import type { Live } from "../live/live.ts";

/** An answer has begun. */
export function announceAnswer(
  live: Live,
  memberIds: readonly string[],
  { message, runId, model }: { message: Message; runId: string; model: string },
) {
  const { conversationId, id: messageId } = message;
  live.tell(memberIds, { type: "message-created", message });
  live.tell(memberIds, { type: "run-started", conversationId, messageId, runId, model });
  live.tellNow(memberIds, { type: "typing", conversationId, who: "model", typing: true });
}

/** An answer is over, however it ended. */
export function announceEnd(
  live: Live,
  memberIds: readonly string[],
  { message, runId, status }: { message: Message; runId: string; status: RunStatus },
) {
  const { conversationId, id: messageId } = message;
  live.tell(memberIds, { type: "message-updated", message });
  live.tell(memberIds, { type: "run-ended", conversationId, messageId, runId, status });
  live.tellNow(memberIds, { type: "typing", conversationId, who: "model", typing: false });
}

/** An answer was deleted while it was being written. */
export function announceGone(
  live: Live,
  memberIds: readonly string[],
  { conversationId, messageId, runId }: { conversationId: string; messageId: string; runId: string },
) {
  live.tell(memberIds, { type: "run-ended", conversationId, messageId, runId, status: "stopped" });
  live.tellNow(memberIds, { type: "typing", conversationId, who: "model", typing: false });
}
