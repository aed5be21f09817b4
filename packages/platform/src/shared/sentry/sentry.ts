import { createStackParser, createTransport, Scope } from "@sentry/core";
import { nodeStackLineParser, ServerRuntimeClient, type ServerRuntimeClientOptions } from "@sentry/core/server";
import { post } from "../post.ts";
import type { SpanExporter } from "../tracing/finished-span.ts";
import { eventOf } from "./error-event.ts";
import { exceptionsOf } from "./exceptions.ts";
import type { Report } from "./reporting-log.ts";
import { createSegments } from "./transactions.ts";

export { reportingLog } from "./reporting-log.ts";

export interface SentryOptions {
  dsn: string;
  release: string;
  environment: string;
  node: string;
  wants: SpanExporter["wants"];
}

const name = "sentry";
const timeoutMs = 10_000;

/**
 * Errors and traces for Sentry. Of its SDK only the client is taken, and no integration: nothing is patched, nothing is gathered
 * by itself, and every field that leaves is written down here.
 */
export function openSentry({ dsn, release, environment, node, wants }: SentryOptions) {
  const stackParser = createStackParser(nodeStackLineParser());
  const client = new ServerRuntimeClient({
    dsn,
    release,
    environment,
    serverName: node,
    platform: "node",
    integrations: [],
    stackParser,
    transport,
    // Ours are whole before they are handed over.
    traceLifecycle: "static",
    enhanceFetchErrorMessages: false,
    dataCollection: { userInfo: false, cookies: false, httpHeaders: false, httpBodies: [], urlQueryParams: false },
  });
  const totals = { sent: 0, dropped: 0, failed: 0 };
  const segments = createSegments((transaction) => {
    totals.sent += 1 + (transaction.spans?.length ?? 0);
    client.captureEvent(transaction, undefined, new Scope());
  });

  const exporter: SpanExporter = {
    name,
    totals,
    wants,
    add: (span) => segments.add(span),
    async close(milliseconds) {
      await client.close(milliseconds);
    },
  };

  return {
    exporter,
    report(what: Report) {
      const { error, sentence, isHandled } = what;
      const exceptions = exceptionsOf(error, sentence, { parse: stackParser, isHandled });
      client.captureEvent(eventOf(what, exceptions), undefined, new Scope());
    },
  };
}

/** Its queue is bounded, and it keeps to what Sentry says of its limits. */
const transport: ServerRuntimeClientOptions["transport"] = ({ url, headers = {}, ...options }) =>
  createTransport(options, async ({ body }) => {
    const bytes = typeof body === "string" ? body : new Uint8Array(body);
    const posted = await post({ url, headers, body: bytes, timeoutMs });
    if ("trouble" in posted) throw new Error(posted.trouble);
    return {
      statusCode: posted.status,
      headers: {
        "x-sentry-rate-limits": posted.headers.get("x-sentry-rate-limits"),
        "retry-after": posted.headers.get("retry-after"),
      },
    };
  });
