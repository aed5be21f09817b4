import type { Row } from "./row.ts";

export const models: Record<string, Row> = {
  "model.estimate": {
    call: (api) => api.model.estimate.query({ text: "How many tokens is this?" }),
    wrong: (api) => api.model.estimate.query({ model: "", text: "" }),
  },
  "model.get": {
    isOpen: true,
    call: (api) => api.model.get.query({ id: "demo" }),
    wrong: (api) => api.model.get.query({ id: "" }),
  },
  "model.list": { isOpen: true, call: (api) => api.model.list.query() },
  "model.providers": { call: (api) => api.model.providers.query() },
  "model.test": {
    permission: "metrics.read",
    call: (api) => api.model.test.mutate({ provider: "demo" }),
    wrong: (api) => api.model.test.mutate({ provider: "" }),
  },
};
