import type { TokenStore } from "./auth/token-store.ts";

/** What a WebSocket class must have: the browser's, Node's and that of the `ws` package do. */
export interface WebSocketConstructor {
  new (
    url: string,
  ): {
    readonly readyState: number;
    send(data: string): void;
    close(code?: number, reason?: string): void;
  };
  readonly OPEN: number;
}

/**
 * Who is calling: an access token or an API key, or a function that gives the current one. The function is asked before
 * every request and whenever a connection is opened; null is a guest.
 *
 * @example
 * ```ts
 * const token: ParleyToken = () => process.env.PARLEY_KEY ?? null;
 * ```
 */
export type ParleyToken = string | (() => string | null | Promise<string | null>);

/**
 * Where a signed-in person's tokens are: in a store, by default in memory; or in cookies that scripts cannot read, for pages
 * of the server's own site.
 *
 * @example
 * ```ts
 * const auth: AuthOptions = { store: localStorageStore() };
 * ```
 */
export type AuthOptions = { store?: TokenStore | undefined; cookie?: false } | { cookie: true; store?: never };

/**
 * How subscriptions travel. Queries and mutations always go over HTTP. `auto` is WebSocket where the runtime has one, and SSE
 * where it has none or nothing lets it through.
 *
 * @example
 * ```ts
 * const parley = createParley({ url: "https://chat.example.com", transport: "sse" });
 * ```
 */
export type ParleyTransport = "auto" | "websocket" | "sse";

/**
 * The options of `createParley`.
 *
 * @example
 * ```ts
 * const options: ParleyOptions = { url: "https://chat.example.com", token: "plk_…" };
 * ```
 */
export type ParleyOptions = Connecting & Calling;

type Calling =
  | {
      /** A key or a token of your own, in place of `auth`. */
      token: ParleyToken | undefined;
      auth?: never;
    }
  | {
      token?: never;
      /** For people who sign in with `parley.auth`: where that is kept. By default in memory. */
      auth?: AuthOptions | undefined;
    };

interface Connecting {
  /** Where the server is, such as `https://chat.example.com`. */
  url: string;
  /** How subscriptions travel; by default `auto`. */
  transport?: ParleyTransport | undefined;
  /** The WebSocket class to use, where the runtime has none: Node before 22. */
  WebSocket?: WebSocketConstructor | undefined;
  /** The `fetch` to use instead of the runtime's. */
  fetch?: typeof globalThis.fetch | undefined;
}
