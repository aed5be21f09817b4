import { isParleyError, type Parley, type ParleyInputs, type ParleyOutputs } from "@parley/client";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

type Metrics = ParleyOutputs["metrics"];
export type Range = ParleyInputs["metrics"]["series"]["range"];
export const ranges: readonly Range[] = ["1h", "24h", "7d"];

export type Figures = Metrics["current"] & Pick<Metrics["series"], "series"> & { alerts: Metrics["alerts"]["items"] };

export async function readFigures({ api: { metrics } }: Parley, range: Range): Promise<Figures> {
  try {
    const [current, { series }, { items }] = await Promise.all([
      metrics.current.query(),
      metrics.series.query({ range }),
      metrics.alerts.query({ open: true }),
    ]);
    return { ...current, series, alerts: items };
  } catch (error) {
    if (!isParleyError(error) || error.reason !== "not_found") throw error;
    throw new Failure(
      exitCodes.refused,
      "not_found",
      "This server keeps no metrics: it needs a newer version",
      error.data.requestId,
    );
  }
}
