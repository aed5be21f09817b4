import type { SpanExporter } from "./finished-span.ts";

export const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** The samplers of OpenTelemetry. One that is `parentbased` does as the caller does, where the caller traces. */
export function sampleBy(sampler: (typeof samplers)[number], share: number): SpanExporter["wants"] {
  const follows = sampler.startsWith("parentbased_");
  const ratio = sampler.endsWith("always_on") ? 1 : sampler.endsWith("always_off") ? 0 : share;
  return (traceId, caller) => (follows && caller ? caller.isSampled : isWithin(traceId, ratio));
}

/** By the last 56 bits, as OpenTelemetry has it, or so many of them as a number holds: services with the same share take the same. */
function isWithin(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-14, -1), 16) >= (1 - ratio) * 2 ** 52;
}

/** By chance, whatever a caller says: what costs money for each trace must not be in the hands of strangers. */
export const sampleByChance =
  (share: number): SpanExporter["wants"] =>
  () =>
    Math.random() < share;
