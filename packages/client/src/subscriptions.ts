import type { AppRouter } from "@parley/api/types";
import type { TRPCLink } from "@trpc/client";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { Identity } from "./auth/identity.ts";
import type { ParleyOptions } from "./options.ts";
import { resuming } from "./resuming.ts";
import { openSocket } from "./socket.ts";
import { createSseLink } from "./sse-link.ts";
import type { Wire } from "./wire.ts";

export interface SubscriptionLink {
  link: TRPCLink<AppRouter>;
  /** As somebody else, perhaps. What is being followed goes on where it was. */
  reconnect(): void;
  /** Ends what is being followed. What comes later opens a connection of its own. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** A socket that does not open while the server answers is blocked on its way. */
const failuresToAsk = 2;

export function createSubscriptionLink(wire: Wire, options: ParleyOptions, identity: Identity): SubscriptionLink {
  const { transport = "auto", WebSocket = globalThis.WebSocket } = options;
  if (transport === "sse" || (transport === "auto" && !WebSocket)) return createSseLink(wire);
  if (!WebSocket) {
    throw new Error('There is no WebSocket here: pass one, or use transport "sse"');
  }
  if (transport === "websocket") return openSocket(wire, { ...options, WebSocket }, identity);
  return socketOrSse(wire, { ...options, WebSocket }, identity);
}

function socketOrSse(
  wire: Wire,
  options: ParleyOptions & Required<Pick<ParleyOptions, "WebSocket">>,
  identity: Identity,
): SubscriptionLink {
  const sse = createSseLink(wire);
  /** What uses the socket, should there be none any more. */
  const turns = new Set<() => void>();
  let isBlocked = false;
  let failures = 0;

  const socket = openSocket(wire, options, identity, {
    opened() {
      failures = 0;
    },
    failed() {
      if (isBlocked || ++failures < failuresToAsk) return;
      void isReached(wire).then((isThere) => {
        if (!isThere || failures === 0) return;
        isBlocked = true;
        for (const turn of turns) turn();
        void socket.close();
      });
    },
  });

  const link: TRPCLink<AppRouter> = (runtime) => {
    const [overSocket, overSse] = [socket.link(runtime), sse.link(runtime)];
    return (given) =>
      observable((observer) => {
        let under: Unsubscribable | undefined;
        let hasTurned = false;
        const place = resuming(given.op);
        const turn = () => {
          hasTurned = true;
          under?.unsubscribe();
          under = overSse({ ...given, op: place.op() }).subscribe(observer);
        };
        if (isBlocked) {
          turn();
        } else {
          turns.add(turn);
          under = overSocket(given).subscribe({
            ...observer,
            next(value) {
              place.note(value);
              observer.next(value);
            },
            // What is left is told as if it had come to its end.
            complete: () => hasTurned || observer.complete(),
          });
        }
        return () => {
          turns.delete(turn);
          under?.unsubscribe();
        };
      });
  };
  return {
    link,
    reconnect: socket.reconnect,
    async drop() {
      await Promise.all([sse.drop(), socket.drop()]);
    },
    async close() {
      await Promise.all([sse.close(), socket.close()]);
    },
  };
}

async function isReached({ url, fetch }: Wire): Promise<boolean> {
  try {
    const response = await fetch(url.replace(/\/trpc$/, "/live"));
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
