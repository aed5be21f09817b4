import type { ErrorReason } from "@parley/contract/errors";
import { isParleyError, isRefusal } from "../errors.ts";
import { newId } from "../new-id.ts";
import { pause, retryDelayMs } from "../retry-delay.ts";
import type { ParleyInputs, ParleyOutputs } from "../shapes.ts";

type SendMessage = ParleyInputs["chat"]["send"];
type SendAccepted = ParleyOutputs["chat"]["send"];

/**
 * What a message may come with: the conversation that it belongs to, a model, a temperature …
 *
 * @example
 * ```ts
 * const note: SendOptions = { conversationId, answer: false };
 * ```
 */
export type SendOptions = Omit<SendMessage, "content" | "clientMessageId"> & {
  /** Of a message that was sent before and may not have arrived: with the same id it is sent once. */
  clientMessageId?: string | undefined;
  /** Waits no longer. With an answer that is followed: leaves it, and it is written on. */
  signal?: AbortSignal | undefined;
};

/** After these a message is sent again: with its own id, so it is sent once. Of a limit its writer hears, and may wait. */
const sentAgain: readonly ErrorReason[] = ["unavailable", "internal", "aborted"];
const mostTries = 8;

export function sendPersistently(
  send: (input: SendMessage, call: { signal?: AbortSignal | undefined }) => Promise<SendAccepted>,
) {
  return async (content: string, { signal, clientMessageId, ...options }: SendOptions = {}): Promise<SendAccepted> => {
    const input = { ...options, content, clientMessageId: clientMessageId ?? newId() };
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted();
      try {
        return await send(input, { signal });
      } catch (error) {
        const isPassing = !isParleyError(error) || isRefusal(error, sentAgain);
        if (!isPassing || tries === mostTries) throw error;
        await pause(retryDelayMs(tries), signal);
      }
    }
  };
}
