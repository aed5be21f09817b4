import type { APIError } from "@anthropic-ai/sdk";
import { ProviderError, type Trouble } from "@parley/core/ports";
import { networkError, redact, retryAfterMs, troubleOf } from "../shared/http-errors.ts";

/** The vendor's error, with a refusal as well as inside a stream. */
export interface Complaint {
  type?: unknown;
  message?: unknown;
  details?: { error_code?: unknown } | null;
}

interface Circumstances {
  complaint: Complaint;
  keys: readonly string[];
  status?: number;
  headers?: Headers;
}

const troubles = new Map<string, Trouble>(
  Object.entries({
    billing_error: "quota",
    rate_limit_error: "rate",
    overloaded_error: "overloaded",
    api_error: "overloaded",
    timeout_error: "overloaded",
    authentication_error: "auth",
    permission_error: "auth",
    invalid_request_error: "bad_request",
    not_found_error: "bad_request",
    request_too_large: "bad_request",
  }),
);
const codes = new Map<string, Trouble>(
  Object.entries({
    contract_spend_limit_reached: "quota",
    enforced_spend_limit_reached: "quota",
    linked_organization_spend_limit_reached: "quota",
    linked_organization_billing_unavailable: "quota",
    organization_on_hold: "auth",
  }),
);
/** Money that is spent comes as a request that is invalid, or as too many of them. */
const spent = /credit balance is too low|API usage limits|spend(?:ing)? limit|organization's billing|daily rate limit/i;
const filtered = /blocked by content filtering policy/i;

export function anthropicError({ complaint, keys, status, headers }: Circumstances): ProviderError {
  const type = wordOf(complaint.type);
  const message = wordOf(complaint.message);
  const trouble =
    codes.get(wordOf(complaint.details?.error_code)) ??
    (status === 402 || spent.test(message) ? "quota" : undefined) ??
    (filtered.test(message) ? "content_filter" : undefined) ??
    troubles.get(type) ??
    (status === undefined ? "overloaded" : troubleOf(status));
  const said = [status, type, message].filter(Boolean).join(" ");
  const wait = headers && retryAfterMs(headers);
  return new ProviderError(trouble, redact(`Claude answered ${said}`, keys), {
    ...(status !== undefined && { status }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

/** Whatever the SDK or the connection threw. */
export function anthropicFailure(error: unknown, keys: readonly string[]): ProviderError {
  if (error instanceof ProviderError) return error;
  // The SDK takes what our own `fetch` throws for a failure of the connection.
  if (error instanceof Error && error.cause instanceof ProviderError) return error.cause;
  if (isRefusal(error)) {
    const { status, headers, type, details, requestID } = error;
    const said = error.apiMessage ?? error.message.replace(/^\d+ /, "");
    const message = requestID ? `${said} (${requestID})` : said;
    return anthropicError({ complaint: { type, message, details }, keys, status, headers });
  }
  const broken = networkError(error, "Claude");
  if (broken) return broken;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name.startsWith("APIConnection")) return new ProviderError("network", "The connection to Claude failed");
  return new ProviderError("invalid_stream", redact(`Claude: ${message}`, keys));
}

/** By its looks: the SDK is loaded with the first call. */
function isRefusal(error: unknown): error is APIError<number, Headers> {
  return (
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    "headers" in error &&
    error.headers instanceof Headers
  );
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
