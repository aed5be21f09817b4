import type { LiveEvent } from "@parley/client";
import { useEffect, useRef } from "react";
import type { LiveState } from "./live.ts";
import { useRoom, useStore } from "./provider.ts";

/**
 * How live events arrive; a listener hears each of them. What `useChat` and `useConversations` show follows them by itself.
 *
 * @example
 * ```tsx
 * const state = useLive((event) => {
 *   if (event.type === "typing") setTyping(event);
 * });
 * return state === "connecting" ? <p>Reconnecting …</p> : null;
 * ```
 */
export function useLive(listener?: (event: LiveEvent) => void): LiveState {
  const { live } = useRoom();
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => live.listen((event) => newest.current?.(event)), [live]);
  return useStore(live.state);
}
