import { type AttributeValue, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

interface Told {
  traceId: string;
  id: string;
  parentId: string | null;
  isRemotelyCalled: boolean;
  name: string;
  kind: "internal" | "server" | "client";
  startMs: number;
  endMs: number;
  attributes: Record<string, string | number | boolean | readonly string[]>;
  events: readonly { name: string; atMs: number }[];
  failure: string | null;
}

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };

/** What OpenTelemetry's own SDK and serializer make of these spans. */
export function officialTraces(
  spans: readonly Told[],
  resource: Record<string, AttributeValue>,
  scope: { name: string; version: string },
): unknown {
  const exporter = new InMemorySpanExporter();
  for (const told of spans) {
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes(resource),
      idGenerator: { generateTraceId: () => told.traceId, generateSpanId: () => told.id },
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const { traceId, parentId, isRemotelyCalled, name, kind, startMs, endMs, events, failure } = told;
    const parent =
      parentId === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId: parentId,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: isRemotelyCalled,
          });
    const attributes = Object.fromEntries(
      Object.entries(told.attributes).map(([key, value]) => [key, typeof value === "object" ? [...value] : value]),
    );
    const span = provider
      .getTracer(scope.name, scope.version)
      .startSpan(name, { kind: kinds[kind], startTime: startMs, attributes }, parent);
    for (const event of events) span.addEvent(event.name, event.atMs);
    if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(endMs);
  }
  const bytes = JsonTraceSerializer.serializeRequest(exporter.getFinishedSpans());
  return JSON.parse(new TextDecoder().decode(bytes));
}
