import type { Answer } from "./answer.ts";
import type { Exchange } from "./exchange.ts";

const exposed = "x-request-id, x-response-time, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset";

/** Undefined where a browser may not hand the answer to the page, or need not ask. */
export function corsHeaders({ site, origin }: Exchange): Record<string, string> | undefined {
  if (origin === null) return undefined;
  switch (site) {
    case "own":
    case "listed":
      return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": exposed,
      };
    case "any":
      return { "access-control-allow-origin": "*", "access-control-expose-headers": exposed };
    case "foreign":
    case "absent":
      return undefined;
  }
}

export function isPreflight({ method, headers, origin }: Exchange): boolean {
  return method === "OPTIONS" && origin !== null && headers.get("access-control-request-method") !== null;
}

/** Always 204: a foreign page is refused by what the answer does not say. */
export function preflightAnswer({ site, headers }: Exchange): Answer {
  if (site === "foreign") return { status: 204, type: null, body: null };
  const wanted = headers.get("access-control-request-headers");
  const isPlain = wanted !== null && /^[\w\-, ]{1,1000}$/.test(wanted);
  return {
    status: 204,
    type: null,
    headers: {
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-max-age": "7200",
      ...(isPlain && { "access-control-allow-headers": wanted }),
    },
    body: null,
  };
}
