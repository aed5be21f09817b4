import type { Log, Scopes, Tracer } from "@parley/core/ports";
import { createTracer } from "@parley/platform/tracing";
import { type HeldExporter, heldOtlp, heldSentry, reportingLog } from "@parley/platform/workers/telemetry";
import type { Environment } from "../../config/variables.ts";
import { otlpOptionsOf, sentryOptionsOf } from "../../telemetry-options.ts";

export interface EdgeTelemetry {
  /** Null where nobody is told of traces. */
  tracer: Tracer | null;
  /** Reports, where somebody is told of errors. */
  log: Log;
  /** What exporters have counted since this was asked before, by exporter and outcome. */
  takeTotals(): { labels: string[]; value: number }[];
  /** Hands on what waits. Never throws. */
  flush(): Promise<void>;
}

/** Traces and errors of an isolate. They wait as plain data until a request or an object that may take them out does. */
export function openEdgeTelemetry(
  config: Environment,
  { log, scopes, node }: { log: Log; scopes: Scopes; node: string },
): EdgeTelemetry {
  const otlp = otlpOptionsOf(config, { log, node, language: "webjs" });
  const forSentry = sentryOptionsOf(config, node);
  const sentry = forSentry && heldSentry(forSentry);
  const exporters: HeldExporter[] = [...(otlp ? [heldOtlp(otlp)] : []), ...(sentry ? [sentry.exporter] : [])];

  return {
    tracer: exporters.length > 0 ? createTracer(exporters) : null,
    log: sentry ? reportingLog(log, scopes, sentry.report) : log,
    takeTotals: () =>
      exporters.flatMap(({ name, totals }) =>
        (["sent", "dropped", "failed"] as const).flatMap((outcome) => {
          const value = totals[outcome];
          totals[outcome] = 0;
          return value > 0 ? [{ labels: [name, outcome], value }] : [];
        }),
      ),
    async flush() {
      await Promise.all(exporters.map((exporter) => exporter.flush()));
    },
  };
}
