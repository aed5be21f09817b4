import { bigint, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, instant } from "../columns.ts";

/** The event log of several nodes without Redis. Unlogged: after a crash of Postgres it is empty, which readers see as a gap. */
export const eventLog = pgTable(
  "event_log",
  {
    topic: text("topic").notNull(),
    seq: bigint("seq", { mode: "number" }).notNull(),
    id: text("id").notNull(),
    event: text("event").notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.seq] }), index("event_log_age").on(table.createdAt)],
);

/** The last number of a topic that the log numbers. The row stays locked until its entries are there: they appear in order. */
export const eventHeads = pgTable(
  "event_heads",
  {
    topic: text("topic").primaryKey(),
    seq: bigint("seq", { mode: "number" }).notNull(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [index("event_heads_age").on(table.updatedAt)],
);
