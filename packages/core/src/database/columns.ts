import { timestamp, uuid } from "drizzle-orm/pg-core";

/** UUIDv7, made by the application so that a statement can name a row before it exists. */
export const id = () => uuid("id").primaryKey();

/** Milliseconds are all that JavaScript's Date holds: no cursor is made from a finer time. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });

export const createdAt = () => instant("created_at").notNull().defaultNow();
