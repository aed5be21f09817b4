import type { Conversation, ParleyInputs } from "@parley/client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { parleyKeys } from "./keys.ts";
import { useRoom, useSignedIn } from "./provider.ts";
import { keptLive } from "./query-options.ts";

/**
 * Which conversations, and in which order.
 *
 * @example
 * ```ts
 * const filter: ConversationFilter = { search: "holiday", archived: true };
 * ```
 */
export type ConversationFilter = Omit<NonNullable<ParleyInputs["chat"]["conversations"]["list"]>, "cursor" | "withTotal">;

/**
 * What `useConversations` gives.
 *
 * @example
 * ```tsx
 * const More = ({ list }: { list: ConversationList }) =>
 *   list.hasMore ? <button type="button" onClick={list.loadMore}>More</button> : null;
 * ```
 */
export interface ConversationList {
  conversations: Conversation[];
  isLoading: boolean;
  error: Error | null;
  /** Does again what failed. */
  retry(): void;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore(): void;
}

const none: Conversation[] = [];

/**
 * Your conversations, newest activity first, kept up to date by live events.
 *
 * @example
 * ```tsx
 * const { conversations } = useConversations();
 * return conversations.map(({ id, title, unreadCount }) => <a key={id} href={`/chat/${id}`}>{title} ({unreadCount})</a>);
 * ```
 */
export function useConversations(filter: ConversationFilter = {}): ConversationList {
  const { cache } = useRoom();
  const isSignedIn = useSignedIn() === true;
  const { data, error, isLoading, refetch } = useQuery({
    ...keptLive,
    queryKey: parleyKeys.conversations(filter),
    queryFn: () => cache.readConversations(filter),
    enabled: isSignedIn,
  });
  const more = useMutation({ mutationFn: () => cache.readFurtherConversations(filter) });
  return {
    conversations: data?.items ?? none,
    isLoading,
    error: error ?? more.error,
    retry: () => (error ? void refetch() : more.mutate()),
    hasMore: (data?.nextCursor ?? null) !== null,
    isLoadingMore: more.isPending,
    loadMore: () => more.isPending || more.mutate(),
  };
}
