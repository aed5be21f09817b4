import { type AppError, internalError, type LimitState, tenths, toAppError } from "@parley/core";
import type { Context as HonoContext } from "hono";
import { type Answer, errorAnswer } from "./answer.ts";
import { acceptsGzip, gzip, isWorthCompressing } from "./compression.ts";
import { corsHeaders, isPreflight, preflightAnswer } from "./cors.ts";
import type { Exchange } from "./exchange.ts";
import type { Gate } from "./gate.ts";
import type { ApiOptions } from "./options.ts";
import { createStandardHeaders, transportSecurity } from "./security-headers.ts";

export type Handler = (exchange: Exchange, request: Request) => Answer | Promise<Answer>;

export interface RouteOptions {
  /** A probe asks by address and over plain HTTP: neither host nor scheme is looked at. It asks often, and is no news. */
  probe?: boolean;
  /** How this route tells an error; JSON with `error` when not given. */
  errorAnswer?: (error: AppError, requestId: string) => Answer;
}

/** Wraps a route: the gate before it, headers, compression, error shape and log line after it. */
export type Serve = (handler: Handler, route?: RouteOptions) => (c: HonoContext) => Response | Promise<Response>;

interface Sent {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Answer["body"] | Uint8Array<ArrayBuffer>;
  readonly isProbe: boolean;
}

/** Of a path in the log: anybody may ask for a long one. */
const longestPath = 200;

export function createPipeline(options: ApiOptions, gate: Gate): Serve {
  const { log, now, compresses = true } = options;
  const standardHeaders = createStandardHeaders(options.publicUrl);

  return (handler, route = {}) => {
    const tellError = route.errorAnswer ?? errorAnswer;

    function handle(exchange: Exchange, request: Request): Answer | Promise<Answer> {
      if (!route.probe) {
        gate.checkTarget(exchange);
        const location = gate.httpsLocation(exchange);
        if (location !== null) return { status: 308, type: null, headers: { location }, body: null };
      }
      return isPreflight(exchange) ? preflightAnswer(exchange) : handler(exchange, request);
    }

    function recover(exchange: Exchange, error: unknown): Answer {
      const known = toAppError(error);
      if (known) return tellError(known, exchange.requestId);
      log.error({ requestId: exchange.requestId, path: exchange.path, err: error }, "a request failed unexpectedly");
      return tellError(internalError(), exchange.requestId);
    }

    return (c) => {
      const request = c.req.raw;
      const exchange = gate.open(request, options.remoteAddress(c.env));
      let answer: Answer | Promise<Answer>;
      try {
        answer = handle(exchange, request);
      } catch (error) {
        answer = recover(exchange, error);
      }
      if (!(answer instanceof Promise)) return finish(exchange, answer, route);
      return answer.then(
        (result) => finish(exchange, result, route),
        (error: unknown) => finish(exchange, recover(exchange, error), route),
      );
    };
  };

  function finish(exchange: Exchange, answer: Answer, { probe: isProbe = false }: RouteOptions): Response | Promise<Response> {
    const { status, type, body } = answer;
    const headers = standardHeaders(exchange.requestId);
    if (type !== null) headers["content-type"] = type;
    if (exchange.secure) headers["strict-transport-security"] = transportSecurity;
    if (exchange.origin !== null) Object.assign(headers, corsHeaders(exchange));
    if (exchange.limit) Object.assign(headers, limitHeaders(exchange.limit));
    if (answer.headers) Object.assign(headers, answer.headers);
    const isCompressed =
      compresses &&
      typeof body === "string" &&
      isWorthCompressing(body, type) &&
      acceptsGzip(exchange.headers.get("accept-encoding"));
    if (!isCompressed) return respond(exchange, { status, headers, body, isProbe });
    headers["content-encoding"] = "gzip";
    return gzip(body).then((bytes) => respond(exchange, { status, headers, body: bytes, isProbe }));
  }

  function respond(exchange: Exchange, { status, headers, body, isProbe }: Sent): Response {
    const { requestId, method, path, setCookies } = exchange;
    const ms = tenths(now() - exchange.startedAt);
    headers["x-response-time"] = `${ms.toFixed(1)}ms`;
    options.onAnswer?.(status);
    const level = status < 400 || exchange.isTold || isProbe ? "debug" : status < 500 ? "info" : "warn";
    log[level]({ requestId, method, path: path.slice(0, longestPath), status, ms }, "request");
    if (setCookies.length === 0) return new Response(body, { status, headers });
    // Several cookies are several lines, which a record cannot say.
    const lines = new Headers(headers);
    for (const cookie of setCookies) lines.append("set-cookie", cookie);
    return new Response(body, { status, headers: lines });
  }
}

function limitHeaders({ limit, remaining, resetMs }: LimitState): Record<string, string> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(Math.ceil(resetMs / 1_000)),
  };
}
