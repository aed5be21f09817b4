import type { Conversation, LiveEvent } from "@parley/client";
import type { ConversationFilter } from "./use-conversations.ts";

export interface ConversationItems {
  items: Conversation[];
  nextCursor: string | null;
}

/** Null where only the server can say which conversations belong here, and in which order. */
export function applyToConversations(
  list: ConversationItems,
  event: LiveEvent,
  filter: ConversationFilter,
): ConversationItems | null {
  switch (event.type) {
    case "conversation-created":
    case "conversation-updated":
      return isUsual(filter) ? upserted(list, event.conversation) : null;
    case "conversation-deleted":
      return { ...list, items: list.items.filter(({ id }) => id !== event.conversationId) };
    default:
      return list;
  }
}

/** Newest activity first, and none that is archived: the order and the choice that can be made here. */
function isUsual({ limit: _, ...filter }: ConversationFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

function upserted({ items, nextCursor }: ConversationItems, conversation: Conversation): ConversationItems {
  const known = items.find(({ id }) => id === conversation.id);
  // Two readings of it may overtake one another.
  if (known && known.updatedAt > conversation.updatedAt) return { items, nextCursor };
  if (known && activity(known) === activity(conversation) && !conversation.archivedAt) {
    return { items: items.map((each) => (each === known ? conversation : each)), nextCursor };
  }
  const others = items.filter((each) => each !== known);
  if (conversation.archivedAt) return { items: others, nextCursor };
  const newer = others.filter((other) => activity(other) >= activity(conversation));
  // Below the last one that is known there may be others between the two.
  if (newer.length === others.length && nextCursor !== null) return { items: others, nextCursor };
  return { items: [...newer, conversation, ...others.filter((other) => !newer.includes(other))], nextCursor };
}

function activity({ lastMessage, createdAt }: Conversation): number {
  return (lastMessage?.createdAt ?? createdAt).getTime();
}
