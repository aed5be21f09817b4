import type { ErrorReason, InputIssue } from "@parley/contract/errors";

/** An outcome that the caller is told: a stable reason and a human sentence. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly reason: ErrorReason;
  readonly retryAfterMs: number | undefined;
  readonly issues: InputIssue[] | undefined;

  constructor(
    reason: ErrorReason,
    message: string,
    extra: { retryAfterMs?: number; issues?: InputIssue[]; cause?: unknown } = {},
  ) {
    super(message, { cause: extra.cause });
    this.reason = reason;
    this.retryAfterMs = extra.retryAfterMs;
    this.issues = extra.issues;
  }
}
