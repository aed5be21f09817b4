import { createWSClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import type { Identity } from "./auth/identity.ts";
import type { WebSocketConstructor } from "./options.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { SubscriptionLink } from "./subscriptions.ts";
import { watchSleep } from "./watch-sleep.ts";
import type { Wire } from "./wire.ts";

const idleMs = 10_000;
const handshakeMs = 10_000;
const sessionEnded = 4401;

interface Watcher {
  opened(): void;
  /** Also when it was never open. */
  failed(): void;
}

export function openSocket(
  { url }: Wire,
  { WebSocket }: { WebSocket: WebSocketConstructor },
  identity: Identity,
  watcher?: Watcher,
): SubscriptionLink {
  let session: string | null = null;
  let unwatch = () => {};
  const client = createWSClient({
    url: url.replace(/^http/, "ws"),
    WebSocket: impatient(WebSocket as typeof globalThis.WebSocket),
    connectionParams: async () => {
      const token = await identity.token();
      session = identity.session();
      return token === null ? null : { token };
    },
    lazy: { enabled: true, closeMs: idleMs },
    keepAlive: { enabled: true, intervalMs: 15_000, pongTimeoutMs: 10_000 },
    retryDelayMs,
    onOpen() {
      unwatch();
      unwatch = watchSleep(reconnect);
      watcher?.opened();
    },
    onClose(cause) {
      unwatch();
      if (cause?.code === sessionEnded) {
        void client.close();
        identity.end("session_ended", session).catch(() => {});
      } else {
        watcher?.failed();
      }
    },
  });
  // A connection that has slept is often dead without knowing it: a new one takes up where it was.
  const reconnect = () => client.connection?.ws?.close();
  const close = () => {
    const closed = client.close();
    // Also one that has not opened yet, and may never do.
    reconnect();
    return closed;
  };
  return { link: wsLink({ client, transformer: superjson }), reconnect, drop: close, close };
}

/** What is not open after a while never will be: somebody on the way takes the request, and says nothing. */
function impatient(WebSocket: typeof globalThis.WebSocket): typeof globalThis.WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL) {
      super(url);
      const timer = setTimeout(() => this.close(), handshakeMs);
      for (const event of ["open", "close"]) this.addEventListener(event, () => clearTimeout(timer));
    }
  };
}
