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
 * const token: ParleyToken = () => localStorage.getItem("access-token");
 * ```
 */
export type ParleyToken = string | (() => string | null | Promise<string | null>);

/**
 * How subscriptions travel. Queries and mutations always go over HTTP.
 *
 * @example
 * ```ts
 * // Where a proxy lets no WebSocket through:
 * const parley = createParley({ url: "https://chat.example.com", transport: "sse" });
 * ```
 */
export type ParleyTransport = "websocket" | "sse";

/**
 * The options of `createParley`.
 *
 * @example
 * ```ts
 * const options: ParleyOptions = { url: "https://chat.example.com", token: "plk_…" };
 * ```
 */
export interface ParleyOptions {
  /** Where the server is, such as `https://chat.example.com`. */
  url: string;
  /**
   * Who is calling. An open connection stays with the account it was opened for: to call as somebody else, make another
   * client.
   */
  token?: ParleyToken;
  /** How subscriptions travel. By default over WebSocket where the runtime has one, and over SSE otherwise. */
  transport?: ParleyTransport;
  /** The WebSocket class to use, where the runtime has none: Node before 22. */
  WebSocket?: WebSocketConstructor;
  /** The `fetch` to use instead of the runtime's. */
  fetch?: typeof globalThis.fetch;
}
