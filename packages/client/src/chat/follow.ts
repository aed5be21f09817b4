import type { RunEvent } from "@parley/contract/events";
import type { ParleyApi } from "../parley.ts";

/**
 * What `follow` takes besides the run. Ending the loop does not end the run.
 *
 * @example
 * ```ts
 * const options: FollowOptions = { signal: AbortSignal.timeout(60_000) };
 * ```
 */
export type FollowOptions = LiveOptions;

/**
 * What `live` takes.
 *
 * @example
 * ```ts
 * const options: LiveOptions = { lastEventId: localStorage.getItem("last event") ?? undefined };
 * ```
 */
export interface LiveOptions {
  /** Ends the loop. */
  signal?: AbortSignal | undefined;
  /** The `id` of the last event that you have had, from this client or another one: only what comes after it is given. */
  lastEventId?: string | undefined;
}

/**
 * An event of a run with its place in it. With the `id`, an answer can be followed on from there, tomorrow or on another device.
 *
 * @example
 * ```ts
 * const isText = (event: FollowedEvent) => event.type === "text-delta";
 * ```
 */
export type FollowedEvent = RunEvent & { id: string };

export async function* follow(
  api: ParleyApi,
  runId: string,
  { signal, lastEventId }: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void> {
  for await (const { id, data } of api.chat.follow.subscribe({ runId, lastEventId }, { signal })) {
    yield { ...data, id };
    if (data.type === "run-end") return;
  }
}
