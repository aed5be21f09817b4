import type { AppRouter } from "@parley/api/types";
import { createWSClient, httpBatchLink, splitLink, type TRPCLink, wsLink } from "@trpc/client";
import superjson from "superjson";
import type { ParleyOptions, ParleyToken } from "./options.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { createSseLink } from "./sse-link.ts";

const maximumBatch = 20;
/** Node's own limit for a request's head is 16 KB. */
const longestUrl = 8_000;
const idleMs = 10_000;

interface Links {
  link: TRPCLink<AppRouter>;
  close(): void | Promise<void>;
}

export function createLinks(options: ParleyOptions): Links {
  const url = endpointOf(options.url);
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options;
  const headers = async (): Promise<Record<string, string>> => {
    const token = await readToken(options.token);
    return token === null ? {} : { authorization: `Bearer ${token}` };
  };
  const { link, close } = hasSocket(options) ? overWebSocket(url, options) : createSseLink({ url, fetch, headers });
  const calls = httpBatchLink({ url, headers, fetch, transformer: superjson, maxItems: maximumBatch, maxURLLength: longestUrl });
  return { link: splitLink({ condition: ({ type }) => type === "subscription", true: link, false: calls }), close };
}

function overWebSocket(url: string, { token, WebSocket }: ParleyOptions): Links {
  const client = createWSClient({
    url: url.replace(/^http/, "ws"),
    ...(WebSocket && { WebSocket: WebSocket as typeof globalThis.WebSocket }),
    connectionParams: async () => {
      const current = await readToken(token);
      return current === null ? null : { token: current };
    },
    lazy: { enabled: true, closeMs: idleMs },
    keepAlive: { enabled: true, intervalMs: 15_000, pongTimeoutMs: 10_000 },
    retryDelayMs,
  });
  return { link: wsLink({ client, transformer: superjson }), close: () => client.close() };
}

function hasSocket({ transport, WebSocket }: ParleyOptions): boolean {
  const isThere = WebSocket !== undefined || typeof globalThis.WebSocket === "function";
  if (transport === "websocket" && !isThere) {
    throw new Error('This runtime has no WebSocket: pass one (that of the package "ws", for example), or use transport "sse"');
  }
  return isThere && transport !== "sse";
}

function endpointOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, "")}/trpc`;
}

async function readToken(token: ParleyToken | undefined): Promise<string | null> {
  return (typeof token === "function" ? await token() : token) ?? null;
}
