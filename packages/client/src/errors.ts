import type { ErrorData, ErrorReason } from "@parley/contract/errors";

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
  if (!(error instanceof Error)) return false;
  const { reason, requestId } = Object(Object(error).data);
  return typeof reason === "string" && typeof requestId === "string";
}

/** Whether the server gave one of these reasons. */
export function isRefusal(error: unknown, reasons: readonly ErrorReason[]): error is ParleyError {
  return isParleyError(error) && reasons.includes(error.data.reason);
}
