import { AppError, type LimitState, toAppError } from "@parley/core";
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
  /** A probe asks by address and over plain HTTP: neither host nor scheme is looked at. */
  probe?: boolean;
  /** How this route tells an error; JSON with `error` when not given. */
  errorAnswer?: (error: AppError, requestId: string) => Answer;
}

/** Wraps a route: the gate before it, headers, compression, error shape and log line after it. */
export type Serve = (handler: Handler, route?: RouteOptions) => (c: HonoContext) => Response | Promise<Response>;

export function createPipeline(options: ApiOptions, gate: Gate): Serve {
  const { log, now } = options;
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
      return tellError(new AppError("internal", "Something went wrong on our side"), exchange.requestId);
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
      if (!(answer instanceof Promise)) return finish(exchange, answer);
      return answer.then(
        (result) => finish(exchange, result),
        (error: unknown) => finish(exchange, recover(exchange, error)),
      );
    };
  };

  function finish(exchange: Exchange, answer: Answer): Response | Promise<Response> {
    const { type, body } = answer;
    const headers = standardHeaders(exchange.requestId);
    if (type !== null) headers["content-type"] = type;
    if (exchange.secure) headers["strict-transport-security"] = transportSecurity;
    if (exchange.origin !== null) Object.assign(headers, corsHeaders(exchange));
    if (exchange.limit) Object.assign(headers, limitHeaders(exchange.limit));
    if (answer.headers) Object.assign(headers, answer.headers);
    const isCompressed =
      typeof body === "string" && isWorthCompressing(body, type) && acceptsGzip(exchange.headers.get("accept-encoding"));
    if (!isCompressed) return respond(exchange, answer.status, headers, body);
    headers["content-encoding"] = "gzip";
    return gzip(body).then((bytes) => respond(exchange, answer.status, headers, bytes));
  }

  function respond(
    exchange: Exchange,
    status: number,
    headers: Record<string, string>,
    body: Answer["body"] | Uint8Array<ArrayBuffer>,
  ): Response {
    const { requestId, method, path, setCookies } = exchange;
    const ms = Math.round((now() - exchange.startedAt) * 10) / 10;
    headers["x-response-time"] = `${ms.toFixed(1)}ms`;
    const level = status < 400 ? "debug" : status < 500 ? "info" : "warn";
    log[level]({ requestId, method, path, status, ms }, "request");
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
