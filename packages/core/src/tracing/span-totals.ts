import type { Instruments } from "../metrics/instruments.ts";
import type { Ports } from "../ports.ts";

export const spanTotals = {
  name: "parley_trace_spans_total",
  help: "Steps of traces that were handed on, or given up",
  labels: ["exporter", "outcome"],
} as const;

/** What exporters count themselves, for whoever reads the meters. */
export function addSpanTotals({ tracer }: Pick<Ports, "tracer">, gauges: Instruments): void {
  gauges.total(spanTotals, () =>
    (tracer?.totals() ?? []).flatMap(({ exporter, totals }) =>
      Object.entries(totals).map(([outcome, value]) => ({ labels: [exporter, outcome], value })),
    ),
  );
}
