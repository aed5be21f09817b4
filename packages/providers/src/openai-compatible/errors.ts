import { ProviderError, type Trouble } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { redact, retryAfterMs, troubleOf } from "../shared/http-errors.ts";

/** As far as servers of this kind agree on it. */
export interface OpenaiFailure {
  message: string;
  type: string;
  code: string;
  param: string;
  status: number | undefined;
}

/** Reads OpenAI's object, Google's list of one, Ollama's sentence, and vLLM's flat form; anything else is its text. */
export function openaiFailure(said: unknown, status?: number): OpenaiFailure {
  const whole = fieldsOf(Array.isArray(said) ? said[0] : said);
  const error = typeof whole.error === "object" && whole.error !== null ? fieldsOf(whole.error) : whole;
  const message = [error.message, whole.error, whole.detail, said].find((value) => typeof value === "string" && value !== "");
  const code = error.code ?? error.status;
  const number = Number(code);
  return {
    message: typeof message === "string" ? message : JSON.stringify(whole.detail ?? said ?? ""),
    type: textOf(error.type),
    code: textOf(code),
    param: textOf(error.param),
    status: status ?? (number >= 400 && number < 600 ? number : undefined),
  };
}

export const saysError = (said: unknown) => typeof said === "object" && said !== null && "error" in said;

export interface Circumstances {
  label: string;
  keys: string[];
  headers?: Headers;
}

export function openaiError(failure: OpenaiFailure, { label, keys, headers }: Circumstances): ProviderError {
  const { message, status } = failure;
  const wait = headers && retryAfterMs(headers);
  return new ProviderError(openaiTrouble(failure), redact(`${label} answered ${status ?? "with an error"}: ${message}`, keys), {
    ...(status !== undefined && { status }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

/** The code says more than the status, and inside a stream it is often all there is. */
function openaiTrouble({ type, code, status }: OpenaiFailure): Trouble {
  const words = `${code} ${type}`.toLowerCase();
  if (/insufficient_quota|insufficient_balance|billing_/.test(words)) return "quota";
  if (/content_filter|content_policy/.test(words)) return "content_filter";
  if (status !== undefined) return troubleOf(status);
  if (words.includes("rate_limit")) return "rate";
  if (/invalid_api_key|authentication|permission/.test(words)) return "auth";
  return /context_length|invalid_request|not_found/.test(words) ? "bad_request" : "overloaded";
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
