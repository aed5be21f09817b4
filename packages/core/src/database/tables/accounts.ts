import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
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
    /** A month's; null is the plan's. */
    budgetTokens: bigint("budget_tokens", { mode: "number" }),
    budgetMicros: bigint("budget_micros", { mode: "number" }),
    status: text("status", { enum: ["active", "suspended"] })
      .notNull()
      .default("active"),
    /** The first account of all. An index makes it one, however many register at once. */
    isFounder: boolean("is_founder").notNull().default(false),
    emailVerifiedAt: instant("email_verified_at"),
    bio: text("bio"),
    timeZone: text("time_zone"),
    language: text("language"),
    preferences: jsonb("preferences").$type<Record<string, unknown>>().notNull().default({}),
    failedSignIns: integer("failed_sign_ins").notNull().default(0),
    lockedUntil: instant("locked_until"),
    createdAt: createdAt(),
    lastLoginAt: instant("last_login_at"),
    lastActiveAt: instant("last_active_at"),
  },
  (table) => [
    uniqueIndex("users_founder").on(table.isFounder).where(sql`${table.isFounder}`),
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
    endReason: text("end_reason", { enum: ["expired", "logout", "ended", "replaced", "reuse", "password", "account"] }),
    /** Which refresh token is the current one. */
    counter: integer("counter").notNull().default(0),
    rotatedAt: instant("rotated_at"),
    /** The client's name for the rotation that made the current token. */
    attemptId: text("attempt_id"),
  },
  (table) => [
    index("sessions_user").on(table.userId, table.createdAt),
    index("sessions_expiry").on(table.expiresAt),
    index("sessions_activity").on(table.lastActiveAt, table.userId).where(sql`ended_at is null`),
  ],
);
