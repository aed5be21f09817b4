import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { roles, sessions, users } from "../database/schema.ts";
import { prepared, statement, value } from "../database/statement.ts";

const userByKey = prepared((database) =>
  database
    .select()
    .from(users)
    .where(or(eq(users.emailKey, value("key")), eq(users.usernameKey, value("key"))))
    .limit(1)
    .prepare("user_by_key"),
);

/** By e-mail address or username, folded. */
export async function findUserByKey(database: Database, key: string) {
  const [user] = await userByKey(database).execute({ key });
  return user ?? null;
}

const userById = prepared((database) =>
  database
    .select()
    .from(users)
    .where(eq(users.id, value("id")))
    .prepare("user_by_id"),
);

export async function findUser(database: Database, id: string) {
  const [user] = await userById(database).execute({ id });
  return user ?? null;
}

const liveSession = prepared((database) =>
  database
    .select({ userId: users.id, plan: users.plan, permissions: roles.permissions, expiresAt: sessions.expiresAt })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(roles, eq(roles.name, users.role))
    .where(and(eq(sessions.id, value("id")), isNull(sessions.endedAt), gt(sessions.expiresAt, sql`${value("now")}::timestamptz`)))
    .prepare("live_session"),
);

export async function findLiveSession(database: Database, id: string, now: Date) {
  const [session] = await liveSession(database).execute({ id, now: now.toISOString() });
  return session ?? null;
}

interface NewUser extends Record<string, unknown> {
  id: string;
  email: string;
  emailKey: string;
  username: string | null;
  usernameKey: string | null;
  displayName: string;
  passwordHash: string;
  role: string;
  createdAt: string;
}

const newUser = statement<NewUser, { id: string }>(
  "insert_user",
  sql`insert into users (id, email, email_key, username, username_key, display_name, password_hash, role, created_at, last_login_at)
    values (${value("id")}, ${value("email")}, ${value("emailKey")}, ${value("username")}, ${value("usernameKey")},
      ${value("displayName")}, ${value("passwordHash")}, ${value("role")}, ${value("createdAt")}, ${value("createdAt")})
    on conflict do nothing returning id`,
);

/** False when the address or the name is taken. */
export async function insertUser(database: Database, user: NewUser) {
  return (await newUser(database, user)).length === 1;
}

const nameTaken = prepared((database) =>
  database
    .select({ id: users.id })
    .from(users)
    .where(eq(users.usernameKey, value("key")))
    .prepare("name_taken"),
);

export async function isUsernameTaken(database: Database, key: string) {
  return (await nameTaken(database).execute({ key })).length > 0;
}

interface NewSession extends Record<string, unknown> {
  id: string;
  userId: string;
  deviceName: string | null;
  userAgent: string | null;
  ip: string;
  createdAt: string;
  expiresAt: string;
}

const newSession = statement<NewSession, never>(
  "insert_session",
  sql`with session as (
      insert into sessions (id, user_id, device_name, user_agent, ip, created_at, last_active_at, expires_at)
      values (${value("id")}, ${value("userId")}, ${value("deviceName")}, ${value("userAgent")}, ${value("ip")},
        ${value("createdAt")}, ${value("createdAt")}, ${value("expiresAt")})
      returning user_id, created_at)
    update users set last_login_at = session.created_at from session where users.id = session.user_id`,
);

export async function insertSession(database: Database, session: NewSession) {
  await newSession(database, session);
}
