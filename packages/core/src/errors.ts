import type { ErrorReason, InputIssue } from "@parley/contract/errors";
import { DrizzleQueryError } from "drizzle-orm";
import { causesOf, ownCodeOf } from "./causes.ts";

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

/** For what nobody foresaw: its own message stays here. */
export const internalError = (): AppError => new AppError("internal", "Something went wrong on our side");

/** One field of the input is wrong, and the sentence is about it. */
export function invalidField(path: string, message: string): AppError {
  return new AppError("invalid_input", message, { issues: [{ path, message }] });
}

/** Codes of postgres.js, of Node's sockets and of Postgres itself that mean: try again in a moment. */
const awayCodes =
  /^(CONNECT_TIMEOUT|CONNECTION_\w+|E(CONNREFUSED|TIMEDOUT|HOSTUNREACH|NOTFOUND|AI_AGAIN)|08\w{3}|40001|40P01|53\w{3}|55P03|57P0[1-4]|57014)$/;
/** These are the database's only when a query failed with them: a caller who leaves gives the same. */
const brokenCodes = /^E(CONNRESET|PIPE)$/;

/** What the caller is told of any failure; undefined for what nobody foresaw. */
export function toAppError(error: unknown): AppError | undefined {
  for (const cause of causesOf(error)) {
    if (cause instanceof AppError) return cause;
    const code = ownCodeOf(cause) ?? "";
    if (awayCodes.test(code) || (error instanceof DrizzleQueryError && brokenCodes.test(code))) {
      return new AppError("unavailable", "The database is away or busy: try again in a moment", {
        retryAfterMs: 2_000,
        cause: error,
      });
    }
  }
  return undefined;
}
