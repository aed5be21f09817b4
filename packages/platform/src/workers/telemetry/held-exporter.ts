import type { SpanTotals } from "@parley/core/ports";
import type { SpanExporter } from "../../shared/tracing/finished-span.ts";

/** Keeps what it is given, as plain data, until somebody who may speak to the outside takes it there. */
export interface HeldExporter extends Omit<SpanExporter, "totals"> {
  readonly totals: SpanTotals;
  /** Never throws. */
  flush(): Promise<void>;
}
