import type { ErrorData, ErrorReason } from "@parley/contract/errors";

/**
 * An error that the server answered with. `reason` says what went wrong, `data.requestId` finds it in the server's log.
 *
 * @example
 * ```ts
 * function describe({ reason, data, message }: ParleyError): string {
 *   return reason === "rate_limited" ? `Try again in ${data.retryAfterMs} ms` : message;
 * }
 * ```
 */
export interface ParleyError extends Error {
  readonly reason: ErrorReason;
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
 *   if (isParleyError(error) && error.reason === "unauthenticated") return signIn();
 *   throw error;
 * }
 * ```
 */
export function isParleyError(error: unknown): error is ParleyError {
  return error instanceof Error && typeof Object(error).reason === "string" && typeof Object(error).data?.requestId === "string";
}

/** Puts the reason where one looks for it. Every error of a call goes through here before anybody sees it. */
export function nameReason(error: { data?: Pick<ErrorData, "reason"> | null; reason?: ErrorReason }): void {
  if (error.data) error.reason = error.data.reason;
}

/** Whether the server gave one of these reasons. */
export function isRefusal(error: unknown, reasons: readonly ErrorReason[]): error is ParleyError {
  return isParleyError(error) && reasons.includes(error.reason);
}
