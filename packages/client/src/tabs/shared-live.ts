import type { AppRouter } from "@parley/api/types";
import type { TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { Identity } from "../auth/identity.ts";

export interface SharedLive {
  link: TRPCLink<AppRouter>;
  /** Ends what is heard from other tabs. */
  drop(): void;
}

/** Live events reach all tabs of an origin over the connection of one of them, where the browser allows it. */
export function shareLive(url: string, identity: Identity): SharedLive {
  const open = new Set<() => void>();
  const link: TRPCLink<AppRouter> =
    () =>
    ({ op, next }) => {
      // Whoever goes on from a place of their own hears nothing of it from others.
      if (op.path !== "chat.live" || !canShare() || Object(op.input).lastEventId) return next(op);
      return observable((observer) => {
        let leave = () => {};
        let isOver = false;
        const end = () => observer.complete();
        open.add(end);
        op.signal?.addEventListener("abort", end);
        async function begin() {
          const name = await identity.tabs();
          // Loaded where it is needed: most callers have no other tabs.
          const tabs = name === null ? null : await import("@parley/client/tabs").catch(() => null);
          if (isOver) return;
          const follow = (lastEventId?: string) => next({ ...op, input: { lastEventId } });
          leave = tabs
            ? tabs.followTogether(`parley live ${url} ${name}`, follow, observer)
            : follow().subscribe(observer).unsubscribe;
        }
        begin().catch(observer.error);
        return () => {
          isOver = true;
          open.delete(end);
          op.signal?.removeEventListener("abort", end);
          leave();
        };
      });
    };
  return {
    link,
    drop() {
      for (const end of [...open]) end();
    },
  };
}

/** Where there is no page, there are no other tabs. */
const canShare = () => globalThis.document && globalThis.BroadcastChannel && navigator.locks;
