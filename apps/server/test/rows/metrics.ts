import type { MetricsRange } from "@parley/contract";
import type { Row } from "./row.ts";

const permission = "metrics.read";
const never: { range: MetricsRange } = JSON.parse('{ "range": "2h" }');

export const metrics: Record<string, Row> = {
  "metrics.connections": { permission, call: (api) => api.metrics.connections.query() },
  "metrics.current": { permission, call: (api) => api.metrics.current.query() },
  "metrics.endpoints": {
    permission,
    call: (api) => api.metrics.endpoints.query({ range: "24h" }),
    wrong: (api) => api.metrics.endpoints.query(never),
  },
  "metrics.series": {
    permission,
    call: (api) => api.metrics.series.query({ range: "1h" }),
    wrong: (api) => api.metrics.series.query(never),
  },
  "metrics.usage": {
    permission,
    call: (api) => api.metrics.usage.query({ range: "30d", by: "model" }),
    wrong: (api) => api.metrics.usage.query({ ...never, range: "30d", by: JSON.parse('"person"') }),
  },
};
