// better-auth behind Hono, on Postgres through Drizzle. HASH=argon2: with the hash that we use; otherwise its own scrypt.
import { serve } from "@hono/node-server";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { boolean, index, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/postgres-js";
import { Hono } from "hono";
import postgres from "postgres";
import { argon2, parameters } from "../lib/argon.mjs";

const port = Number(process.env.PORT);

// Tables as better-auth's generator makes them.
const times = {
  createdAt: timestamp("created_at").notNull().defaultNow(),
  updatedAt: timestamp("updated_at").notNull().defaultNow(),
};
const user = pgTable("user", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text("image"),
  ...times,
});
const session = pgTable(
  "session",
  {
    id: text("id").primaryKey(),
    expiresAt: timestamp("expires_at").notNull(),
    token: text("token").notNull().unique(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    userId: text("user_id").notNull(),
    ...times,
  },
  (columns) => [index("session_user").on(columns.userId)],
);
const account = pgTable(
  "account",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: text("user_id").notNull(),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: timestamp("access_token_expires_at"),
    refreshTokenExpiresAt: timestamp("refresh_token_expires_at"),
    scope: text("scope"),
    password: text("password"),
    ...times,
  },
  (columns) => [index("account_user").on(columns.userId)],
);
const verification = pgTable("verification", {
  id: text("id").primaryKey(),
  identifier: text("identifier").notNull(),
  value: text("value").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
  ...times,
});

const stamps = "created_at timestamp not null default now(), updated_at timestamp not null default now()";
const sql = postgres(process.env.DATABASE_URL, { max: 10, onnotice() {} });
await sql.unsafe(`
  create table "user" (id text primary key, name text not null, email text not null unique,
    email_verified boolean not null default false, image text, ${stamps});
  create table session (id text primary key, expires_at timestamp not null, token text not null unique, ip_address text,
    user_agent text, user_id text not null, ${stamps});
  create index on session (user_id);
  create table account (id text primary key, account_id text not null, provider_id text not null, user_id text not null,
    access_token text, refresh_token text, id_token text, access_token_expires_at timestamp,
    refresh_token_expires_at timestamp, scope text, password text, ${stamps});
  create index on account (user_id);
  create table verification (id text primary key, identifier text not null, value text not null,
    expires_at timestamp not null, ${stamps})`);

const schema = { user, session, account, verification };
const ownHash = {
  hash: (password) => argon2.hash(password, parameters),
  verify: ({ hash, password }) => argon2.verify(hash, password),
};
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: "bench-secret-0123456789-0123456789-abc",
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  logger: { level: "error" },
  emailAndPassword: { enabled: true, ...(process.env.HASH === "argon2" && { password: ownHash }) },
  database: drizzleAdapter(drizzle(sql, { schema }), { provider: "pg", schema }),
});
const app = new Hono();
app.all("/api/auth/*", (c) => auth.handler(c.req.raw));
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
