import * as z from "zod";
import { object } from "./object.ts";
import { PageSize } from "./shapes.ts";
import { id } from "./text.ts";

export const MetricsRange = z.enum(["1h", "24h", "7d"]);
export type MetricsRange = z.output<typeof MetricsRange>;

export const InRange = object(() => ({ range: MetricsRange }));

/** Ready to draw: the value at place `i` is of the stretch that begins at `from` and `i` times `stepMs`; null where nobody looked. */
export const Series = object(() => ({
  range: MetricsRange,
  from: z.date(),
  to: z.date(),
  stepMs: z.int(),
  series: z.array(z.object({ name: z.string(), unit: z.string(), node: z.string(), values: z.array(z.number().nullable()) })),
}));
export type Series = z.output<typeof Series>;

const Details = object(() => ({
  version: z.string(),
  runtime: z.string(),
  os: z.string(),
  cores: z.int(),
  startedAt: z.date(),
}));

/**
 * The last readings of each node that has been heard of within two minutes, or where it is read more rarely within two and a
 * half such intervals; `at` is when their half minute began.
 */
export const CurrentMetrics = object(() => ({
  nodes: z.array(
    z.object({
      name: z.string(),
      at: z.date(),
      values: z.record(z.string(), z.number()),
      details: Details,
    }),
  ),
  units: z.record(z.string(), z.string()),
  /** Rows by the database's own estimate. */
  database: z.object({ bytes: z.number(), rows: z.record(z.string(), z.number()) }).nullable(),
}));
export type CurrentMetrics = z.output<typeof CurrentMetrics>;

/** Of all nodes. Times are in milliseconds; null where there were no calls. */
export const Endpoints = object(() => ({
  range: MetricsRange,
  items: z.array(
    z.object({
      procedure: z.string(),
      calls: z.int(),
      errors: z.int(),
      reasons: z.record(z.string(), z.int()),
      meanMs: z.number().nullable(),
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
    }),
  ),
}));
export type Endpoints = z.output<typeof Endpoints>;

export const AlertSeverity = z.enum(["warning", "critical"]);

export const Alert = object(() => ({
  id: id(),
  rule: z.string(),
  /** The node, provider or service that it is about. */
  subject: z.string(),
  severity: AlertSeverity,
  text: z.string(),
  /** The reading that caused it, the last one while it is open. */
  value: z.number(),
  threshold: z.number(),
  unit: z.string(),
  openedAt: z.date(),
  seenAt: z.date(),
  resolvedAt: z.date().nullable(),
}));
export type Alert = z.output<typeof Alert>;

export const ListAlerts = z
  .object({ open: z.boolean().optional(), cursor: id().optional(), limit: PageSize.optional() })
  .optional();
export type ListAlerts = z.output<typeof ListAlerts>;

export const AlertPage = object(() => ({ items: z.array(Alert), nextCursor: z.string().nullable() }));
export type AlertPage = z.output<typeof AlertPage>;

export const AlertChannelName = z.enum(["webhook", "slack", "discord", "mail"]);

/** Without a channel, all that are set up. */
export const TestAlert = object(() => ({ channel: AlertChannelName.optional() })).optional();
export type TestAlert = z.output<typeof TestAlert>;

export const AlertTest = object(() => ({
  items: z.array(
    z.object({
      channel: AlertChannelName,
      ok: z.boolean(),
      /** Why it was not taken, in words. */
      trouble: z.string().nullable(),
    }),
  ),
}));
export type AlertTest = z.output<typeof AlertTest>;

export const SpendingRange = z.enum(["24h", "7d", "30d"]);
export const SpendingBy = z.enum(["user", "plan", "model", "provider", "day"]);
export const GetSpending = object(() => ({ range: SpendingRange, by: SpendingBy }));
export type GetSpending = z.output<typeof GetSpending>;

/** The hundred largest. A cost in which a price is not known is null. */
export const Spending = object(() => ({
  range: SpendingRange,
  by: SpendingBy,
  since: z.date(),
  items: z.array(
    z.object({
      /** An id, a name or a day; null for accounts that are gone. */
      key: z.string().nullable(),
      /** What a person would call it. */
      label: z.string(),
      answers: z.int(),
      calls: z.int(),
      tokens: z.int(),
      costMicros: z.int().nullable(),
    }),
  ),
}));
export type Spending = z.output<typeof Spending>;

export const Connections = object(() => ({
  nodes: z.array(z.object({ name: z.string(), at: z.date(), sockets: z.int(), subscriptions: z.int(), runs: z.int() })),
  sockets: z.int(),
  subscriptions: z.int(),
  runs: z.int(),
}));
export type Connections = z.output<typeof Connections>;
