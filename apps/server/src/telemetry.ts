import type { Log, Scopes, Tracer } from "@parley/core/ports";
import { createTracer, otlpExporter, type SpanExporter, sampleBy, sampleByChance } from "@parley/platform/tracing";
import type { Environment } from "./config/variables.ts";
import { version } from "./version.ts";

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

  if (config.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG } = config;
    exporters.push(
      otlpExporter({
        url: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, "")}/v1/traces`,
        headers: config.OTEL_EXPORTER_OTLP_HEADERS,
        resource: {
          "service.name": config.OTEL_SERVICE_NAME,
          "service.version": version,
          "service.instance.id": node,
          "deployment.environment.name": config.NODE_ENV,
          "telemetry.sdk.name": "parley",
          "telemetry.sdk.version": version,
          "telemetry.sdk.language": "nodejs",
        },
        version,
        wants: sampleBy(OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG),
        log,
        delayMs: config.OTEL_BSP_SCHEDULE_DELAY,
      }),
    );
  }
  if (config.SENTRY_DSN) {
    const { openSentry, reportingLog } = await import("@parley/platform/sentry");
    const environment = config.NODE_ENV;
    const share = config.SENTRY_TRACES_SAMPLE_RATE ?? (environment === "production" ? 0.1 : 1);
    const sentry = openSentry({
      dsn: config.SENTRY_DSN,
      release: `parley@${version}`,
      environment,
      node,
      wants: sampleByChance(share),
    });
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
