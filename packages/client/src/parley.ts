import type { AppRouter } from "@parley/api/types";
import type { RunEvent } from "@parley/contract/events";
import { createTRPCClient, type TRPCClient } from "@trpc/client";
import { createLinks } from "./links.ts";
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
 * What `follow` takes besides the run.
 *
 * @example
 * ```ts
 * const options: FollowOptions = { signal: AbortSignal.timeout(60_000) };
 * ```
 */
export interface FollowOptions {
  /** Ends the loop. The run itself goes on. */
  signal?: AbortSignal;
}

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
  /**
   * The events of an answer from its beginning to its `run-end`. A connection that breaks is opened again, and nothing is
   * missed or repeated. A loop that ends before `run-end` was ended by you.
   *
   * @example
   * ```ts
   * for await (const event of parley.follow(runId)) {
   *   if (event.type === "text-delta") process.stdout.write(event.text);
   * }
   * ```
   */
  follow(runId: string, options?: FollowOptions): AsyncIterable<RunEvent>;
  /**
   * Ends what is being followed and closes the connection. Answers that are being written go on.
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
 * const parley = createParley({ url: "https://chat.example.com", token: () => accessToken });
 * const { answer } = await parley.api.chat.send.mutate({ clientMessageId: crypto.randomUUID(), content: "Hello" });
 * ```
 */
export function createParley(options: ParleyOptions): Parley {
  const { link, close } = createLinks(options);
  const api = createTRPCClient<AppRouter>({ links: [link] });
  return {
    api,
    async close() {
      await close();
    },
    async *follow(runId, { signal } = {}) {
      for await (const { data } of api.chat.follow.subscribe({ runId }, { ...(signal && { signal }) })) {
        yield data;
        if (data.type === "run-end") return;
      }
    },
  };
}
