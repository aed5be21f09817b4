import { AnswerError, type ErrorData, type ErrorReason, isParleyError } from "@parley/client";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** What ends a command: one line for a person, a word and a code for scripts. */
export class Failure extends Error {
  readonly code: ExitCode;
  readonly reason: string;
  readonly requestId: string | undefined;

  constructor(code: ExitCode, reason: string, message: string, requestId?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.requestId = requestId;
  }
}

export const usage = (message: string) => new Failure(exitCodes.usage, "usage", message);

export function toFailure(error: unknown, url: string): Failure {
  const known = causesOf(error).find((cause) => cause instanceof Failure);
  if (known) return known;
  if (isParleyError(error)) {
    const { reason, data } = error;
    const issues = data.issues?.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
    const retry = data.retryAfterMs === undefined ? "" : `: try again in ${Math.ceil(data.retryAfterMs / 1_000)} s`;
    return new Failure(codeOf(data), reason, `${issues || error.message}${hintOf(reason, url)}${retry}`, data.requestId);
  }
  if (error instanceof AnswerError) {
    const { error: cause, status } = error.answer;
    return new Failure(exitCodes.refused, cause?.reason ?? status, error.message);
  }
  if (!(error instanceof Error)) return new Failure(exitCodes.refused, "internal", String(error));
  if (error.name === "TRPCClientError") {
    // What came was no JSON.
    return causesOf(error).some((cause) => cause instanceof SyntaxError) ? notParley(url) : notReached(url, error);
  }
  return new Failure(exitCodes.refused, causeCode(error) ?? "internal", error.message);
}

export function notReached(url: string, error: unknown): Failure {
  const code = causeCode(error);
  return new Failure(exitCodes.notReached, "not_reached", `There is no server at ${url}${code ? ` (${code})` : ""}`);
}

export function notParley(url: string): Failure {
  return new Failure(exitCodes.notReached, "not_reached", `What answers at ${url} is not a Parley server`);
}

export function fileTrouble(file: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(exitCodes.refused, causeCode(error) ?? "internal", `${file} cannot be used: ${message}`);
}

function codeOf({ code, reason }: ErrorData): ExitCode {
  if (code === "UNAUTHORIZED") return exitCodes.notSignedIn;
  return reason === "unavailable" ? exitCodes.notReached : exitCodes.refused;
}

const signInAgain: readonly ErrorReason[] = ["unauthenticated", "session_ended", "token_expired", "token_reused"];

function hintOf(reason: ErrorReason, url: string): string {
  return signInAgain.includes(reason) ? `: \`parley login --url ${url}\`` : "";
}

/** Of the system, such as ECONNREFUSED, or of Node's fetch. */
export function causeCode(error: unknown): string | null {
  for (const cause of causesOf(error)) {
    if ("code" in cause && typeof cause.code === "string" && /^[A-Z][A-Z\d_]+$/.test(cause.code)) return cause.code;
  }
  return null;
}

function causesOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const under: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...causesOf(error.cause), ...under.flatMap(causesOf)];
}
