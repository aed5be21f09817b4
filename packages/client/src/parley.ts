import type { AppRouter } from "@parley/api/types";
import { createTRPCClient, type TRPCClient } from "@trpc/client";
import { createAuth, type ParleyAuth } from "./auth/auth.ts";
import { createIdentity } from "./auth/identity.ts";
import { createChat, type ParleyChat } from "./chat/chat.ts";
import { createLinks, createRefreshCall } from "./links.ts";
import type { ParleyOptions } from "./options.ts";

/**
 * Every procedure of the server, with its types: `query`, `mutate` or `subscribe`.
 *
 * @example
 * ```ts
 * const listModels = (api: ParleyApi) => api.model.list.query();
 * ```
 */
export type ParleyApi = TRPCClient<AppRouter>;

/**
 * A client of one server, for one caller.
 *
 * @example
 * ```ts
 * const parley: Parley = createParley({ url: "https://chat.example.com", token });
 * ```
 */
export interface Parley {
  /**
   * Every procedure of the server.
   *
   * @example
   * ```ts
   * const { items } = await parley.api.chat.conversations.list.query({ limit: 10 });
   * ```
   */
  readonly api: ParleyApi;
  readonly auth: ParleyAuth;
  readonly chat: ParleyChat;
  /**
   * Ends what is being followed and what is being sent, and closes the connection. Answers that are being written go on.
   *
   * @example
   * ```ts
   * await parley.close();
   * ```
   */
  close(): Promise<void>;
}

/**
 * Connects to a Parley server. Nothing is sent before the first call.
 *
 * @example
 * ```ts
 * const parley = createParley({ url: "https://chat.example.com", token: () => process.env.PARLEY_KEY ?? null });
 * console.log(await parley.chat.ask("Why is the sky blue?").text);
 * await parley.close();
 * ```
 */
export function createParley(options: ParleyOptions): Parley {
  const identity = createIdentity(options, createRefreshCall(options));
  const { links, drop, close } = createLinks(options, identity);
  identity.beforeTelling(drop);
  const api = createTRPCClient<AppRouter>({ links });
  const closing = new AbortController();
  return {
    api,
    auth: createAuth(api, identity),
    chat: createChat(api, closing.signal),
    async close() {
      closing.abort(new Error("This client is closed"));
      identity.close();
      await close();
    },
  };
}
