import { sql } from "drizzle-orm";
import { boolean, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";

/** What a node was like for a while: `seconds` from `at`. Each node writes its own rows, in three widths, and nobody sums them up later. */
export const metricSamples = pgTable(
  "metric_samples",
  {
    seconds: integer("seconds").notNull(),
    at: instant("at").notNull(),
    node: text("node").notNull(),
    /** How many readings are in it. */
    readings: integer("readings").notNull(),
    values: jsonb("values").$type<Record<string, number>>().notNull(),
    /** Of the last reading: what is no number to draw. */
    details: jsonb("details").$type<Record<string, unknown>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.seconds, table.at, table.node] })],
);

/** The calls of one procedure on a node, for a while. */
export const endpointSamples = pgTable(
  "endpoint_samples",
  {
    seconds: integer("seconds").notNull(),
    at: instant("at").notNull(),
    node: text("node").notNull(),
    procedure: text("procedure").notNull(),
    totalSeconds: doublePrecision("total_seconds").notNull(),
    mostSeconds: doublePrecision("most_seconds").notNull().default(0),
    /** Calls by how long they took, as `calls` of the meters counts them. */
    counts: integer("counts").array().notNull(),
    errors: jsonb("errors").$type<Record<string, number>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.seconds, table.at, table.node, table.procedure] })],
);

/** What was noticed, and mostly told to operators. At most one is open for a rule and what it is about. */
export const alerts = pgTable(
  "alerts",
  {
    id: id(),
    rule: text("rule").notNull(),
    /** The node, provider or service that it is about. */
    subject: text("subject").notNull(),
    severity: text("severity", { enum: ["warning", "critical"] }).notNull(),
    text: text("text").notNull(),
    unit: text("unit").notNull(),
    value: doublePrecision("value").notNull(),
    threshold: doublePrecision("threshold").notNull(),
    /** Opened so soon after its like that nobody was told. */
    quiet: boolean("quiet").notNull(),
    openedAt: instant("opened_at").notNull(),
    /** When a node last found it so. */
    seenAt: instant("seen_at").notNull(),
    resolvedAt: instant("resolved_at"),
  },
  (table) => [
    uniqueIndex("alerts_open").on(table.rule, table.subject).where(sql`resolved_at is null`),
    index("alerts_time").on(table.openedAt),
  ],
);
