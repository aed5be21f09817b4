import { index, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, id } from "../columns.ts";
import { users } from "./accounts.ts";

/** Who did what to what, from where. Never the content, never a secret; it stays when the person has gone. */
export const auditLog = pgTable(
  "audit_log",
  {
    id: id(),
    actorId: uuid("actor_id").references(() => users.id, { onDelete: "set null" }),
    action: text("action").notNull(),
    target: text("target"),
    outcome: text("outcome", { enum: ["done", "refused"] }).notNull(),
    address: text("address"),
    details: jsonb("details").$type<Record<string, string | number | boolean | null>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (table) => [index("audit_log_age").on(table.createdAt), index("audit_log_actor").on(table.actorId, table.id)],
);

/** Calls that a limit refused, at most one a minute for each caller. */
export const limitRefusals = pgTable(
  "limit_refusals",
  { id: id(), bucket: text("bucket").notNull(), key: text("key").notNull(), createdAt: createdAt() },
  (table) => [index("limit_refusals_age").on(table.createdAt)],
);
