import type { Row } from "./row.ts";

export const alerts: Record<string, Row> = {
  "metrics.alerts": {
    permission: "metrics.read",
    call: (api) => api.metrics.alerts.query({ open: false, limit: 10 }),
    wrong: (api) => api.metrics.alerts.query({ limit: 0 }),
  },
  "metrics.testAlert": {
    permission: "metrics.read",
    call: (api) => api.metrics.testAlert.mutate({}),
    wrong: (api) => api.metrics.testAlert.mutate({ channel: "pager" as "mail" }),
  },
};
