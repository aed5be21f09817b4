import type { IncomingHttpHeaders } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { startLocalServer } from "./local-server.ts";

type Value =
  | { stringValue: string }
  | { intValue: number }
  | { doubleValue: number }
  | { boolValue: boolean }
  | { arrayValue: { values: Value[] } };
type Fields = { key: string; value: Value }[];

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Fields;
  events?: { name: string; timeUnixNano: string }[];
  status: { code?: number; message?: string };
}

interface Sent {
  resourceSpans: { resource: { attributes: Fields }; scopeSpans: { spans: SentSpan[] }[] }[];
}

export interface CollectedSpan {
  traceId: string;
  id: string;
  parentId: string | null;
  name: string;
  kind: "internal" | "server" | "client";
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  events: { name: string; atMs: number }[];
  /** Null for what went well. */
  failure: string | null;
}

interface Refusal {
  status: number;
  retryAfterSeconds?: number;
  /** Then it takes what it is sent; without a number it never does. */
  times?: number;
}
export type CollectorMood = "takes" | "hangs" | Refusal | { rejects: number };
export type Collector = Awaited<ReturnType<typeof startCollector>>;

/** An OpenTelemetry collector for OTLP over HTTP in JSON, which keeps what it is sent, or does not even answer. */
export async function startCollector() {
  const requests: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  const spans: CollectedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  let mood: CollectorMood = "takes";

  const server = await startLocalServer(async (request, response) => {
    const body = await textOf(request);
    requests.push({ path: `${request.method} ${request.url}`, headers: request.headers, body });
    if (mood === "hangs") return;
    if (typeof mood === "object" && "rejects" in mood) {
      response
        .writeHead(200)
        .end(JSON.stringify({ partialSuccess: { rejectedSpans: String(mood.rejects), errorMessage: "too old" } }));
      return;
    }
    if (mood !== "takes") {
      const { status, retryAfterSeconds, times } = mood;
      if (times !== undefined) mood = times > 1 ? { ...mood, times: times - 1 } : "takes";
      response.writeHead(status, retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }).end();
      return;
    }
    const sent: Sent = JSON.parse(body);
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      resources.push(recordOf(resource.attributes));
      for (const scope of scopeSpans) spans.push(...scope.spans.map(spanOf));
    }
    response.writeHead(200, { "content-type": "application/json" }).end('{"partialSuccess":{}}');
  });

  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    resources,
    spans,
    named: (name: string) => spans.filter((span) => span.name === name),
    set(next: CollectorMood) {
      mood = next;
    },
    stop: server.stop,
    [Symbol.asyncDispose]: server.stop,
  };
}

const kinds = [null, "internal", "server", "client"] as const;

function spanOf(span: SentSpan): CollectedSpan {
  const { traceId, spanId, parentSpanId, name, startTimeUnixNano, endTimeUnixNano, attributes, events = [], status } = span;
  const kind = kinds[span.kind];
  if (!kind || !/^[\da-f]{32}$/.test(traceId) || !/^[\da-f]{16}$/.test(spanId)) throw new Error(`${name} is no span`);
  return {
    traceId,
    id: spanId,
    parentId: parentSpanId ?? null,
    name,
    kind,
    startMs: Number(startTimeUnixNano) / 1_000_000,
    endMs: Number(endTimeUnixNano) / 1_000_000,
    attributes: recordOf(attributes),
    events: events.map((event) => ({ name: event.name, atMs: Number(event.timeUnixNano) / 1_000_000 })),
    failure: status.code === 2 ? (status.message ?? "") : null,
  };
}

const recordOf = (fields: Fields) => Object.fromEntries(fields.map(({ key, value }) => [key, plain(value)]));

function plain(value: Value): unknown {
  if ("arrayValue" in value) return value.arrayValue.values.map(plain);
  return Object.values(value)[0];
}
