import type { LiveEvent, Message } from "@parley/client";
import { statusOf } from "./chat-message.ts";

/** The end of the branch that somebody looks at, oldest first. */
export interface Branch {
  items: Message[];
  /** Where the messages before these are. */
  nextCursor: string | null;
}

/** Null where only the server can say what the branch is now. */
export function applyToBranch(branch: Branch, event: LiveEvent): Branch | null {
  switch (event.type) {
    case "message-created":
      return grow(branch, event.message);
    case "message-updated":
      return { ...branch, items: replaced(branch.items, event.message) };
    case "message-deleted":
      // What followed hangs on what came before it now; its siblings have one less.
      return null;
    case "run-ended": {
      const { runId, status } = event;
      return branch.items.some((message) => message.runId === runId)
        ? patchMessage(branch, runId, (message) => ({ ...message, status: statusOf(status) }))
        : branch;
    }
    default:
      return branch;
  }
}

function grow(branch: Branch, message: Message): Branch | null {
  const { items } = branch;
  if (items.some(({ id }) => id === message.id)) return { ...branch, items: replaced(items, message) };
  if ((items.at(-1)?.id ?? null) === message.parentId) return { ...branch, items: [...items, message] };
  return null;
}

/** What one has asked for oneself is looked at, wherever it hangs. */
export function turnTo(branch: Branch, message: Message): Branch | null {
  if (branch.items.some(({ id }) => id === message.id)) return grow(branch, message);
  if (message.parentId === null) return { items: [message], nextCursor: null };
  const above = branch.items.findIndex(({ id }) => id === message.parentId);
  return above === -1 ? null : { ...branch, items: [...branch.items.slice(0, above + 1), message] };
}

/** Of a run that is still thought to go on. */
export function patchMessage(branch: Branch, runId: string, patch: (message: Message) => Message): Branch {
  const items = branch.items.map((message) =>
    message.runId === runId && message.status === "running" ? patch(message) : message,
  );
  return { ...branch, items };
}

function replaced(items: Message[], message: Message): Message[] {
  return items.map((known) => (known.id === message.id ? later(known, message) : known));
}

/** Events and pages may overtake one another: an answer that is over does not run again, and the last edit stays. */
function later(known: Message, heard: Message): Message {
  if (heard.status === "running" && known.status !== "running") return known;
  if ((known.editedAt?.getTime() ?? 0) > (heard.editedAt?.getTime() ?? 0)) return known;
  return heard;
}
