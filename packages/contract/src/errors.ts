/** Every reason an error can carry, with the transport code that follows from it. */
export const errorReasons = {
  invalid_input: "BAD_REQUEST",
  unauthenticated: "UNAUTHORIZED",
  token_expired: "UNAUTHORIZED",
  token_reused: "UNAUTHORIZED",
  session_ended: "UNAUTHORIZED",
  invalid_credentials: "UNAUTHORIZED",
  email_unverified: "FORBIDDEN",
  account_locked: "FORBIDDEN",
  account_disabled: "FORBIDDEN",
  registration_closed: "FORBIDDEN",
  forbidden: "FORBIDDEN",
  origin_not_allowed: "FORBIDDEN",
  host_not_allowed: "FORBIDDEN",
  not_found: "NOT_FOUND",
  method_not_allowed: "METHOD_NOT_SUPPORTED",
  conflict: "CONFLICT",
  email_taken: "CONFLICT",
  username_taken: "CONFLICT",
  idempotency_mismatch: "CONFLICT",
  rate_limited: "TOO_MANY_REQUESTS",
  budget_exceeded: "TOO_MANY_REQUESTS",
  model_unknown: "BAD_REQUEST",
  provider_unconfigured: "PRECONDITION_FAILED",
  provider_unavailable: "SERVICE_UNAVAILABLE",
  provider_rejected: "BAD_GATEWAY",
  payload_too_large: "PAYLOAD_TOO_LARGE",
  unsupported_media_type: "UNSUPPORTED_MEDIA_TYPE",
  aborted: "CLIENT_CLOSED_REQUEST",
  unavailable: "SERVICE_UNAVAILABLE",
  internal: "INTERNAL_SERVER_ERROR",
} as const;

export type ErrorReason = keyof typeof errorReasons;
export type ErrorCode = (typeof errorReasons)[ErrorReason];

export interface InputIssue {
  path: string;
  message: string;
}

/** What a caller learns of an error, on every transport. */
export interface ErrorData {
  code: ErrorCode;
  httpStatus: number;
  reason: ErrorReason;
  requestId: string;
  retryAfterMs?: number;
  issues?: InputIssue[];
}
