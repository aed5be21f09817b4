import type { Log } from "@parley/core/ports";
import { type OtlpOptions, sampleBy, sampleByChance } from "@parley/platform/tracing";
import type { Environment } from "./config/variables.ts";
import { version } from "./version.ts";

/** Null where no collector was named. */
export function otlpOptionsOf(
  config: Environment,
  { log, node, language }: { log: Log; node: string; language: "nodejs" | "webjs" },
): OtlpOptions | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG } = config;
  if (!OTEL_EXPORTER_OTLP_ENDPOINT) return null;
  return {
    url: `${OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, "")}/v1/traces`,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    resource: {
      "service.name": config.OTEL_SERVICE_NAME,
      "service.version": version,
      "service.instance.id": node,
      "deployment.environment.name": config.NODE_ENV,
      "telemetry.sdk.name": "parley",
      "telemetry.sdk.version": version,
      "telemetry.sdk.language": language,
    },
    version,
    wants: sampleBy(OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG),
    log,
    delayMs: config.OTEL_BSP_SCHEDULE_DELAY,
  };
}

/** Null without a DSN. */
export function sentryOptionsOf({ SENTRY_DSN, SENTRY_TRACES_SAMPLE_RATE, NODE_ENV }: Environment, node: string) {
  if (!SENTRY_DSN) return null;
  const share = SENTRY_TRACES_SAMPLE_RATE ?? (NODE_ENV === "production" ? 0.1 : 1);
  return { dsn: SENTRY_DSN, release: `parley@${version}`, environment: NODE_ENV, node, wants: sampleByChance(share) };
}
