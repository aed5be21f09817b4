import { type ErrorCode, type ErrorData, type ErrorReason, errorReasons } from "@parley/contract/errors";
import { AppError, internalError, toAppError } from "@parley/core";
import { TRPCError } from "@trpc/server";
import { TRPC_ERROR_CODES_BY_KEY, type TRPCErrorShape } from "@trpc/server/rpc";
import * as z from "zod";
import type { Context } from "./context.ts";

/** The one shape of an error, over HTTP, SSE and WebSocket. */
export interface ApiErrorShape {
  message: string;
  code: TRPCErrorShape["code"];
  data: ErrorData;
}

/** Of what is wrong with an input, as much as somebody reads: a list of faults must not be longer than what was sent. */
const maxIssues = 20;

const httpStatus: Record<ErrorCode, number> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_SUPPORTED: 405,
  CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  CLIENT_CLOSED_REQUEST: 499,
  INTERNAL_SERVER_ERROR: 500,
  BAD_GATEWAY: 502,
  SERVICE_UNAVAILABLE: 503,
};

export function httpStatusOf(reason: ErrorReason): number {
  return httpStatus[errorReasons[reason]];
}

/** What tRPC itself refuses, in our words. */
const reasonOfCode: Partial<Record<TRPCError["code"], [ErrorReason, string]>> = {
  PARSE_ERROR: ["invalid_input", "This is not a message that we understand"],
  BAD_REQUEST: ["invalid_input", "The input is not valid"],
  NOT_FOUND: ["not_found", "There is no such procedure"],
  METHOD_NOT_SUPPORTED: ["method_not_allowed", "Queries are GET, mutations are POST"],
  UNSUPPORTED_MEDIA_TYPE: ["unsupported_media_type", "Send application/json"],
  PAYLOAD_TOO_LARGE: ["payload_too_large", "The request is too large"],
  CLIENT_CLOSED_REQUEST: ["aborted", "The caller went away"],
};

export function shapeError(error: TRPCError, context: Context | undefined, path: string | undefined): ApiErrorShape {
  const requestId = context?.requestId ?? "";
  const known = knownError(error);
  if (known) return errorShape(known, requestId);
  const userId = context?.actor?.userId;
  context?.services.log.error({ requestId, path, userId, err: error.cause ?? error }, "a call failed unexpectedly");
  return errorShape(internalError(), requestId);
}

export function reasonOf(error: unknown): ErrorReason {
  const known = error instanceof TRPCError ? knownError(error) : toAppError(error);
  return known?.reason ?? "internal";
}

export function errorShape(error: AppError, requestId: string): ApiErrorShape {
  const code = errorReasons[error.reason];
  const data: ErrorData = { code, httpStatus: httpStatus[code], reason: error.reason, requestId };
  if (error.retryAfterMs !== undefined) data.retryAfterMs = error.retryAfterMs;
  if (error.issues) data.issues = error.issues;
  return { message: error.message, code: TRPC_ERROR_CODES_BY_KEY[code], data };
}

/** Undefined for what nobody foresaw: its message must not leave. */
function knownError(error: TRPCError): AppError | undefined {
  const known = toAppError(error.cause);
  if (known) return known;
  if (error.cause instanceof z.ZodError && error.code === "BAD_REQUEST") {
    const issues = error.cause.issues
      .slice(0, maxIssues)
      .map((issue) => ({ path: issue.path.join("."), message: issue.message }));
    return new AppError("invalid_input", issues[0]?.message ?? "The input is not valid", { issues });
  }
  const refused = reasonOfCode[error.code];
  return refused && new AppError(...refused);
}
