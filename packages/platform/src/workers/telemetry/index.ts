export { type Report, reportingLog } from "../../shared/sentry/reporting-log.ts";
export type { HeldExporter } from "./held-exporter.ts";
export { heldOtlp } from "./held-otlp.ts";
export { heldSentry } from "./held-sentry.ts";
