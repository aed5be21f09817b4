import { ProviderError, type Trouble } from "@parley/core/ports";
import { redact, troubleOf } from "../shared/http-errors.ts";

/** google.rpc.Status, as it comes with a refusal and inside a stream. */
export interface GeminiStatus {
  code?: number;
  message?: string;
  status?: string;
  details?: Detail[];
}

interface Detail {
  reason?: string;
  retryDelay?: string;
  violations?: { quotaId?: string }[];
}

const codes: Record<string, number> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

export function geminiError({ code, message = "", status = "", details = [] }: GeminiStatus, keys: string[]): ProviderError {
  const number = code ?? codes[status] ?? 500;
  const retryAfterMs = details.map(retryDelayMs).find((delay) => delay !== undefined);
  return new ProviderError(geminiTrouble(number, message, details), redact(`Gemini answered ${number}: ${message}`, keys), {
    status: number,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function geminiTrouble(code: number, message: string, details: Detail[]): Trouble {
  if (details.some(({ reason }) => reason?.startsWith("API_KEY_"))) return "auth";
  if (code !== 429) return troubleOf(code);
  const violations = details.flatMap(({ violations = [] }) => violations);
  const isSpent = violations.some(({ quotaId }) => quotaId?.includes("PerDay")) || /spending cap|credits? /i.test(message);
  return isSpent ? "quota" : "rate";
}

/** A duration as protobuf writes it: "37s", "0.5s". */
function retryDelayMs({ retryDelay }: Detail): number | undefined {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(retryDelay ?? "") ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}
