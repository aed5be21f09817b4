import type { ErrorData } from "@parley/contract/errors";

/**
 * An error that the server answered with. `data.reason` says what went wrong, `data.requestId` finds it in the server's
 * log.
 *
 * @example
 * ```ts
 * function describe({ data, message }: ParleyError): string {
 *   return data.reason === "rate_limited" ? `Try again in ${data.retryAfterMs} ms` : message;
 * }
 * ```
 */
export interface ParleyError extends Error {
  readonly data: ErrorData;
}

/**
 * Whether the server answered with this error. False for everything else, a server that was not reached included.
 *
 * A newer server may know reasons that this version does not list: keep a default for them.
 *
 * @example
 * ```ts
 * try {
 *   await parley.api.chat.send.mutate({ clientMessageId, content });
 * } catch (error) {
 *   if (isParleyError(error) && error.data.reason === "unauthenticated") return signIn();
 *   throw error;
 * }
 * ```
 */
export function isParleyError(error: unknown): error is ParleyError {
  if (!(error instanceof Error) || !("data" in error)) return false;
  const { data } = error;
  return (
    typeof data === "object" &&
    data !== null &&
    "reason" in data &&
    typeof data.reason === "string" &&
    "requestId" in data &&
    typeof data.requestId === "string"
  );
}
