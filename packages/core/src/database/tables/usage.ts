import { bigint, boolean, date, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { createdAt } from "../columns.ts";
import { users } from "./accounts.ts";

const count = (name: string) => bigint(name, { mode: "number" }).notNull();

/** What was spent, one row a call to a model. It outlives the conversation, and the account without its name. */
export const usageLedger = pgTable(
  "usage_ledger",
  {
    /** No foreign key: a run goes with its conversation. */
    runId: uuid("run_id").notNull(),
    attempt: integer("attempt").notNull(),
    userId: uuid("user_id").references(() => users.id, { onDelete: "set null" }),
    provider: text("provider").notNull(),
    model: text("model").notNull(),
    outcome: text("outcome", { enum: ["completed", "stopped", "failed", "failed_over"] }).notNull(),
    input: count("input"),
    cacheRead: count("cache_read"),
    cacheWrite: count("cache_write"),
    output: count("output"),
    estimated: boolean("estimated").notNull(),
    /** Null where the price was not known. */
    costMicros: bigint("cost_micros", { mode: "number" }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.attempt] }),
    index("usage_ledger_user").on(table.userId, table.createdAt),
    index("usage_ledger_time").on(table.createdAt),
  ],
);

/** A person's month (UTC): what was spent, and what is set aside for answers under way. */
export const budgetMonths = pgTable(
  "budget_months",
  {
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    month: date("month").notNull(),
    usedTokens: count("used_tokens").default(0),
    usedMicros: count("used_micros").default(0),
    heldTokens: count("held_tokens").default(0),
    heldMicros: count("held_micros").default(0),
  },
  (table) => [primaryKey({ columns: [table.userId, table.month] })],
);

/** What is set aside for one run. One whose run no longer runs is given back. */
export const budgetHolds = pgTable(
  "budget_holds",
  {
    runId: uuid("run_id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    month: date("month").notNull(),
    tokens: count("tokens"),
    micros: count("micros"),
  },
  (table) => [index("budget_holds_user").on(table.userId)],
);
