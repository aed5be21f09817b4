import type { LiveEvent } from "@parley/contract/events";
import type { ParleyApi } from "../parley.ts";
import type { ParleyOutputs } from "../shapes.ts";
import { type Answer, type AskOptions, ask } from "./answer.ts";
import { type FollowedEvent, type FollowOptions, follow, type LiveOptions } from "./follow.ts";
import { type SendOptions, sendPersistently } from "./send.ts";

/**
 * Answers and events as loops.
 *
 * @example
 * ```ts
 * for await (const event of parley.chat.ask("Hello")) if (event.type === "text-delta") show(event.text);
 * ```
 */
export interface ParleyChat {
  /**
   * Asks, and follows the answer. A connection that breaks is opened again, a question that may not have arrived is asked
   * once all the same.
   *
   * @example
   * ```ts
   * const answer = parley.chat.ask("And why is it red at night?", { conversationId });
   * console.log(await answer.text);
   * ```
   */
  ask(content: string, options?: AskOptions): Answer;
  /**
   * Sends a message and does not wait for its answer. One that may not have arrived is sent once all the same: while nobody
   * answers, it is tried for three quarters of a minute.
   *
   * @example
   * ```ts
   * const { answer } = await parley.chat.send("Hello", { conversationId });
   * ```
   */
  send(content: string, options?: SendOptions): Promise<ParleyOutputs["chat"]["send"]>;
  /**
   * The events of an answer from its beginning to its `run-end`. A connection that breaks is opened again, and nothing is
   * missed or repeated. A loop that ends before `run-end` was ended by you.
   *
   * @example
   * ```ts
   * for await (const event of parley.chat.follow(runId)) {
   *   if (event.type === "text-delta") process.stdout.write(event.text);
   * }
   * ```
   */
  follow(runId: string, options?: FollowOptions): AsyncIterable<FollowedEvent>;
  /**
   * Everything that concerns you, on all of your devices, from now on. A connection that breaks is opened again. A loop that
   * ends by itself was ended by you, or by signing out.
   *
   * @example
   * ```ts
   * for await (const event of parley.chat.live({ signal })) if (event.type === "message-created") add(event.message);
   * ```
   */
  live(options?: LiveOptions): AsyncIterable<LiveEvent & { id: string }>;
}

export function createChat(api: ParleyApi, closed: AbortSignal): ParleyChat {
  const ending = <Options extends { signal?: AbortSignal | undefined }>({ signal, ...options }: Options) => ({
    ...options,
    signal: signal ? AbortSignal.any([signal, closed]) : closed,
  });
  const send = sendPersistently((input, call) => api.chat.send.mutate(input, call));
  return {
    send: (content, options = {}) => send(content, ending(options)),
    ask: (content, options = {}) =>
      ask(
        { send, stop: (runId) => api.chat.stop.mutate({ runId }), follow: (runId, followed) => follow(api, runId, followed) },
        content,
        ending(options),
      ),
    follow: (runId, options = {}) => follow(api, runId, ending(options)),
    async *live(options = {}) {
      const { lastEventId, signal } = ending(options);
      for await (const { id, data } of api.chat.live.subscribe({ lastEventId }, { signal })) yield { ...data, id };
    },
  };
}
