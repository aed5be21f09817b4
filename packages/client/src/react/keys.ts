import type { ConversationFilter } from "./use-conversations.ts";

/**
 * Where TanStack Query keeps what the hooks have read, for whoever wants to invalidate or to read it.
 *
 * @example
 * ```ts
 * await queryClient.invalidateQueries({ queryKey: parleyKeys.messages(conversationId) });
 * ```
 */
export const parleyKeys = {
  all: ["parley"],
  allConversations: ["parley", "conversations"],
  conversations: (filter: ConversationFilter) => ["parley", "conversations", filter],
  allMessages: ["parley", "messages"],
  messages: (conversationId: string) => ["parley", "messages", conversationId],
} as const;
