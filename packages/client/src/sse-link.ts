import type { AppRouter } from "@parley/api/types";
import { type Operation, TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import superjson from "superjson";
import { readSubscription, type SseNotice } from "./sse-stream.ts";
import type { SubscriptionLink } from "./subscriptions.ts";
import type { Wire } from "./wire.ts";

/** Subscriptions as tRPC serves them over SSE, read with `fetch`. */
export function createSseLink(wire: Wire): SubscriptionLink {
  const open = new Set<() => void>();
  const link: TRPCLink<AppRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const controller = new AbortController();
        const end = () => observer.complete();
        open.add(end);
        if (op.signal?.aborted) end();
        else op.signal?.addEventListener("abort", end);
        const read = async () => {
          const notices = readSubscription({ ...wire, url: urlOf(wire.url, op) }, controller.signal);
          for await (const notice of notices) observer.next({ result: resultOf(notice) });
          observer.next({ result: { type: "stopped" } });
        };
        read().then(end, (error: Error) => observer.error(TRPCClientError.from(error)));
        return () => {
          controller.abort();
          op.signal?.removeEventListener("abort", end);
          open.delete(end);
        };
      });
  const drop = async () => {
    for (const end of [...open]) end();
  };
  return { link, reconnect() {}, drop, close: drop };
}

function urlOf(endpoint: string, { path, input }: Operation): string {
  return `${endpoint}/${path}?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`;
}

function resultOf(notice: SseNotice) {
  switch (notice.type) {
    case "connecting": {
      const { cause } = notice;
      const error = cause instanceof Error ? TRPCClientError.from<AppRouter>(cause) : null;
      return { type: "state", state: "connecting", error } as const;
    }
    case "connected":
      return { type: "started" } as const;
    case "data": {
      const { id, data } = notice;
      return { type: "data", id, data: { id, data } } as const;
    }
  }
}
