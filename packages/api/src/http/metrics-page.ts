import { notFound } from "./answer.ts";
import { isOperator } from "./credentials.ts";
import type { ApiOptions } from "./options.ts";
import type { Handler } from "./pipeline.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** For Prometheus. Whoever has not the token finds no such page. */
export function createMetricsPage({ metricsPage, metricsToken }: Pick<ApiOptions, "metricsPage" | "metricsToken">): Handler {
  return async (exchange) => {
    if (!isOperator(exchange, metricsToken)) throw notFound();
    return { status: 200, type, headers: { "cache-control": "no-store" }, body: await metricsPage() };
  };
}
