import { sql } from "drizzle-orm";
import { index, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, instant } from "../columns.ts";

export const roles = pgTable("roles", {
  name: text("name").primaryKey(),
  permissions: text("permissions").array().notNull(),
});

export const users = pgTable(
  "users",
  {
    id: id(),
    email: text("email").notNull(),
    /** Case and Unicode form folded: what uniqueness and sign-in go by. */
    emailKey: text("email_key").notNull(),
    username: text("username"),
    usernameKey: text("username_key"),
    displayName: text("display_name").notNull(),
    passwordHash: text("password_hash").notNull(),
    role: text("role")
      .notNull()
      .references(() => roles.name, { onDelete: "restrict" }),
    plan: text("plan", { enum: ["free", "pro", "enterprise"] })
      .notNull()
      .default("free"),
    createdAt: createdAt(),
    lastLoginAt: instant("last_login_at"),
  },
  (table) => [
    uniqueIndex("users_email_key").on(table.emailKey),
    uniqueIndex("users_username_key").on(table.usernameKey).where(sql`${table.usernameKey} is not null`),
    index("users_role").on(table.role),
  ],
);

export const sessions = pgTable(
  "sessions",
  {
    id: id(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    deviceName: text("device_name"),
    userAgent: text("user_agent"),
    ip: text("ip"),
    createdAt: createdAt(),
    lastActiveAt: instant("last_active_at").notNull().defaultNow(),
    expiresAt: instant("expires_at").notNull(),
    endedAt: instant("ended_at"),
  },
  (table) => [index("sessions_user").on(table.userId, table.createdAt), index("sessions_expiry").on(table.expiresAt)],
);
