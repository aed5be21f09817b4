import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { analyzeOutgrown } from "./database-queries.ts";

/** Nothing else keeps the estimates of an embedded database: it has no background workers. */
export function keepEstimates(
  { background, database }: Pick<Ports, "background" | "database">,
  { metrics: { everyMs }, soleWriter }: Pick<Settings, "metrics" | "soleWriter">,
): void {
  if (soleWriter) background.every("estimate rows", everyMs, () => analyzeOutgrown(database));
}
