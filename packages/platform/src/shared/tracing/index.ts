export type { FinishedSpan, SpanExporter } from "./finished-span.ts";
export { type OtlpOptions, otlpExporter } from "./otlp-exporter.ts";
export { sampleBy, sampleByChance, samplers } from "./sampling.ts";
export { createTracer } from "./tracer.ts";
