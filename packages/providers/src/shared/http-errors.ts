import { causesOf, ownCodeOf, ProviderError, type Trouble } from "@parley/core/ports";

/** What a status means where the vendor says nothing more exact. */
export function troubleOf(status: number): Trouble {
  if (status === 401 || status === 403) return "auth";
  if (status === 402) return "quota";
  if (status === 429) return "rate";
  if (status === 408 || status >= 500) return "overloaded";
  return "bad_request";
}

/** How long the vendor wants to be left alone. Instants are read by the vendor's own clock where it tells the time. */
export function retryAfterMs(headers: Headers): number | undefined {
  const told = Date.parse(headers.get("date") ?? "");
  const now = Number.isNaN(told) ? Date.now() : told;
  return (
    duration(Number.parseFloat(headers.get("retry-after-ms") ?? "")) ??
    retryAfter(headers.get("retry-after"), now) ??
    untilReset(headers, now)
  );
}

function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = Number(value);
  return duration(Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1_000);
}

/** Anthropic counts requests and tokens apart, and tells of each when it is whole again. */
function untilReset(headers: Headers, now: number): number | undefined {
  const waits: number[] = [];
  headers.forEach((value, name) => {
    const [, limit] = /^(anthropic-ratelimit-.*)-reset$/.exec(name) ?? [];
    const wait = duration(Date.parse(value) - now);
    if (limit && wait !== undefined && headers.get(`${limit}-remaining`) === "0") waits.push(wait);
  });
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

function duration(milliseconds: number): number | undefined {
  return Number.isFinite(milliseconds) ? Math.max(0, Math.ceil(milliseconds)) : undefined;
}

/** A text of the vendor's that may be logged: without any key, and not endless. */
export function redact(text: string, keys: readonly string[]): string {
  const longestFirst = keys.filter(Boolean).sort((left, right) => right.length - left.length);
  const forms = longestFirst.flatMap(formsOf);
  const redacted = forms.reduce((rest, key) => rest.replaceAll(key, "[key]"), text);
  return redacted.length > 500 ? `${redacted.slice(0, 500)}…` : redacted;
}

/** As it is, in an address, and in JSON, where some escape a slash as well. */
function formsOf(key: string): string[] {
  const inJson = JSON.stringify(key).slice(1, -1);
  return [key, encodeURIComponent(key), inJson, inJson.replaceAll("/", "\\/")];
}

const networkCode = /^(?:E[A-Z]+|UND_ERR_\w+|(?:ERR_)?(?:TLS|SSL|CERT)_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;
const networkMessage = /^(?:fetch failed|terminated|failed to fetch|network connection lost)/i;

/** The connection's own failure, if it is that. The causes stay out of it: they may quote an address with a key in it. */
export function networkError(error: unknown, vendor: string): ProviderError | undefined {
  let isNetwork = false;
  for (const cause of causesOf(error)) {
    const code = ownCodeOf(cause) ?? "";
    if (networkCode.test(code)) return new ProviderError("network", `The connection to ${vendor} failed (${code})`);
    isNetwork ||= networkMessage.test(cause.message);
  }
  return isNetwork ? new ProviderError("network", `The connection to ${vendor} failed`) : undefined;
}
