import type { Log, Scopes, Tracer } from "@parley/core/ports";
import { createTracer, otlpExporter, type SpanExporter } from "@parley/platform/tracing";
import type { Environment } from "./config/variables.ts";
import { otlpOptionsOf, sentryOptionsOf } from "./telemetry-options.ts";

export interface Telemetry {
  /** Null where nobody is told of traces. */
  tracer: Tracer | null;
  /** Reports, where somebody is told of errors. */
  log: Log;
  /** Hands on what waits, as far as that goes in the time. */
  close(milliseconds: number): Promise<void>;
}

/** Traces and errors for those whom the operator has named. Sentry is not even loaded where nobody asked for it. */
export async function openTelemetry(
  config: Environment,
  { log, scopes, node }: { log: Log; scopes: Scopes; node: string },
): Promise<Telemetry> {
  const exporters: SpanExporter[] = [];
  let reporting = log;

  const otlp = otlpOptionsOf(config, { log, node, language: "nodejs" });
  if (otlp) exporters.push(otlpExporter(otlp));
  const forSentry = sentryOptionsOf(config, node);
  if (forSentry) {
    const { openSentry, reportingLog } = await import("@parley/platform/sentry");
    const sentry = openSentry(forSentry);
    exporters.push(sentry.exporter);
    reporting = reportingLog(log, scopes, sentry.report);
  }

  return {
    tracer: exporters.length > 0 ? createTracer(exporters) : null,
    log: reporting,
    async close(milliseconds) {
      await Promise.all(exporters.map((exporter) => exporter.close(milliseconds)));
    },
  };
}
