import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";

/** What exporters count themselves, for whoever reads the meters. */
export function addSpanTotals({ tracer }: Pick<Ports, "tracer">, { instruments }: Pick<Meters, "instruments">): void {
  const help = "Steps of traces that were handed on, or given up";
  instruments.total({ name: "parley_trace_spans_total", help, labels: ["exporter", "outcome"] }, () =>
    (tracer?.totals() ?? []).flatMap(({ exporter, totals }) =>
      Object.entries(totals).map(([outcome, value]) => ({ labels: [exporter, outcome], value })),
    ),
  );
}
