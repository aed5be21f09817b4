// The limit: bare Hono, argon2id, postgres.js, a random session token. Nothing else that a product needs.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import postgres from "postgres";
import { argon2, parameters } from "../lib/argon.mjs";

const sql = postgres(process.env.DATABASE_URL, { max: 10, onnotice() {} });
await sql.unsafe(`
  create table users (id uuid primary key, email text not null unique, hash text not null);
  create table sessions (hash bytea primary key, user_id uuid not null, expires_at timestamptz not null)`);
const digest = (text) => createHash("sha256").update(text).digest();

const app = new Hono();
app.post("/sign-up", async (c) => {
  const { email, password } = await c.req.json();
  await sql`insert into users values (${randomUUID()}, ${email}, ${await argon2.hash(password, parameters)})`;
  return c.json({ ok: true });
});
app.post("/sign-in", async (c) => {
  const { email, password } = await c.req.json();
  const [user] = await sql`select id, hash from users where email = ${email}`;
  if (!user || !(await argon2.verify(user.hash, password))) return c.json({ error: "no" }, 401);
  const token = randomBytes(32).toString("base64url");
  await sql`insert into sessions values (${digest(token)}, ${user.id}, now() + interval '7 days')`;
  return c.json({ token });
});
serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
