import { ProviderError, type Trouble } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { redact, troubleOf } from "../shared/http-errors.ts";

type Detail = Record<string, unknown>;

const codes = new Map([
  ["INVALID_ARGUMENT", 400],
  ["FAILED_PRECONDITION", 400],
  ["UNAUTHENTICATED", 401],
  ["PERMISSION_DENIED", 403],
  ["NOT_FOUND", 404],
  ["RESOURCE_EXHAUSTED", 429],
  ["INTERNAL", 500],
  ["UNAVAILABLE", 503],
  ["DEADLINE_EXCEEDED", 504],
]);

/** A refusal's body, in whatever shape it came. */
export function geminiRefusal(said: unknown, keys: string[], status: number): ProviderError {
  const { error } = fieldsOf(Array.isArray(said) ? said[0] : said);
  return geminiError({ ...fieldsOf(error ?? { message: said }), code: status }, keys);
}

/** google.rpc.Status, as it comes with a refusal and inside a stream. */
export function geminiError(said: unknown, keys: string[]): ProviderError {
  const { code, status, ...more } = fieldsOf(said);
  const message = typeof more.message === "string" ? more.message : "";
  const details = Array.isArray(more.details) ? more.details.map(fieldsOf) : [];
  const number = typeof code === "number" ? code : (codes.get(String(status)) ?? 500);
  const retryAfterMs = details.map(retryDelayMs).find((delay) => delay !== undefined);
  return new ProviderError(geminiTrouble(number, message, details), redact(`Gemini answered ${number}: ${message}`, keys), {
    status: number,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function geminiTrouble(code: number, message: string, details: Detail[]): Trouble {
  if (details.some(({ reason }) => typeof reason === "string" && reason.startsWith("API_KEY_"))) return "auth";
  if (code !== 429) return troubleOf(code);
  const violations = details.flatMap(({ violations }) => (Array.isArray(violations) ? violations.map(fieldsOf) : []));
  const isSpent = violations.some(({ quotaId }) => typeof quotaId === "string" && quotaId.includes("PerDay"));
  return isSpent || /spending cap|credits? /i.test(message) ? "quota" : "rate";
}

/** A duration as protobuf writes it: "37s", "0.5s". */
function retryDelayMs({ retryDelay }: Detail): number | undefined {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(typeof retryDelay === "string" ? retryDelay : "") ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}
