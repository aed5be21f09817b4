import type { Distribution } from "./instruments.ts";
import { entriesOf, type SeriesName, series, type Values } from "./readings.ts";

export const narrowest = 30;

/** How wide stretches are, and how long they are kept. The narrowest is how often readings are taken, unless the operator says otherwise. */
export const kept = [
  { seconds: narrowest, hours: 24 },
  { seconds: 300, hours: 7 * 24 + 1 },
  { seconds: 3_600, hours: 30 * 24 },
];
export const widths: readonly number[] = kept.map(({ seconds }) => seconds);
/** Of procedures only these: nobody draws each half minute of each. */
export const endpointWidths: readonly number[] = [300, 3_600];

export interface SavedStretch {
  seconds: number;
  /** ISO. */
  at: string;
  readings: number;
  values: Values;
  details: Record<string, unknown>;
}

export interface EndpointCounts extends Pick<Distribution, "counts"> {
  procedure: string;
  totalSeconds: number;
  mostSeconds: number;
  errors: Record<string, number>;
}

export interface EndpointStretch extends EndpointCounts {
  seconds: number;
  at: string;
}

/** When the stretch of this width began that a moment is in. */
export const beginOf = (moment: number, seconds: number) => new Date(moment - (moment % (seconds * 1_000))).toISOString();

type Readings = Pick<SavedStretch, "readings" | "values">;

/** Joins other readings to what a stretch has. */
export function addReadings(sample: Readings, more: Readings): void {
  const values = { ...sample.values };
  for (const [name, value] of entriesOf(more.values)) values[name] = merged(name, value, [sample, more]);
  sample.values = values;
  sample.readings += more.readings;
}

function merged(name: SeriesName, value: number, [sample, more]: readonly [Readings, Readings]): number {
  const before = sample.values[name];
  const { merge } = series[name];
  if (before === undefined) return value;
  if (merge === "sum") return before + value;
  if (merge === "most") return Math.max(before, value);
  const weigh = ({ readings, values }: Readings) => (merge === "mean" ? readings : (values[merge] ?? 0));
  const [weight, added] = [weigh(sample), weigh(more)];
  return weight + added === 0 ? value : (before * weight + value * added) / (weight + added);
}

export function addCalls(sample: EndpointStretch, more: EndpointCounts): void {
  sample.totalSeconds += more.totalSeconds;
  sample.mostSeconds = Math.max(sample.mostSeconds, more.mostSeconds);
  sample.counts = more.counts.map((count, bucket) => count + (sample.counts[bucket] ?? 0));
  for (const [reason, count] of Object.entries(more.errors)) sample.errors[reason] = (sample.errors[reason] ?? 0) + count;
}
