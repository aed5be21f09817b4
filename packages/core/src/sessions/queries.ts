import type { Plan } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import type { Budget } from "../budgets/budgets.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

export type EndReason = "expired" | "logout" | "ended" | "replaced" | "reuse" | "password" | "account";

export interface SessionRow {
  id: string;
  userId: string;
  deviceName: string | null;
  userAgent: string | null;
  ip: string | null;
  createdAt: string;
  lastActiveAt: string;
  expiresAt: string;
}

const columns = sql`sessions.id, sessions.user_id as "userId", sessions.device_name as "deviceName", sessions.user_agent as "userAgent",
  sessions.ip, sessions.created_at as "createdAt", sessions.last_active_at as "lastActiveAt", sessions.expires_at as "expiresAt"`;

const isLive = sql`sessions.ended_at is null and sessions.expires_at > ${value("now")}::timestamptz`;

/** Ends what a condition names and tells every node, in one statement. */
const ending = (name: string, where: SQL) =>
  statement<Record<string, unknown>, { id: string; userId: string }>(
    name,
    sql`with ended as (
        update sessions set ended_at = ${value("now")}::timestamptz, end_reason = ${value("reason")}
        where ${isLive} and ${where} returning id, user_id),
      told as (insert into access_changes (kind, user_id, session_id) select 'session_ended', user_id, id from ended)
      select id, user_id as "userId" from ended`,
  );

/** This person has signed in from there before. */
const isKnownDevice = (userId: SQL) =>
  sql`exists (select 1 from sessions where sessions.user_id = ${userId} and sessions.ip = ${value("ip")}
    and sessions.user_agent is not distinct from ${value("userAgent")}::text) as "isKnownDevice"`;

const insert = statement<Record<string, unknown>, { isKnownDevice: boolean }>(
  "insert_session",
  // With its line in the audit log and word of the new sign-in: one commit.
  // Only while the password is still the one that was checked: a reset takes the same lock, and ends sessions after it. The row is
  // touched once: locking it first and changing it after lets Postgres find deadlocks among many at once.
  sql`with owner as (
      update users set last_login_at = ${value("now")}::timestamptz, last_active_at = ${value("now")}::timestamptz,
        failed_sign_ins = 0, locked_until = null
      where id = ${value("userId")}::uuid and password_hash = ${value("passwordHash")} and status = 'active'
      returning id),
    session as (
      insert into sessions (id, user_id, device_name, user_agent, ip, created_at, last_active_at, expires_at)
      select ${value("id")}::uuid, owner.id, ${value("deviceName")}, ${value("userAgent")}, ${value("ip")},
        ${value("now")}::timestamptz, ${value("now")}::timestamptz, ${value("expiresAt")}::timestamptz from owner),
    told as (insert into access_changes (kind, user_id) select 'profile_changed', id from owner),
    noted as (
      insert into audit_log (id, actor_id, action, target, outcome, address)
      select ${value("auditId")}::uuid, owner.id, 'account.login', 'session:' || ${value("id")}::text, 'done', ${value("ip")} from owner)
    select ${isKnownDevice(sql`owner.id`)} from owner`,
);

const endSurplus = ending(
  "end_surplus_sessions",
  sql`sessions.id in (
    select surplus.id from sessions surplus
    where surplus.user_id = ${value("userId")}::uuid and surplus.ended_at is null and surplus.expires_at > ${value("now")}::timestamptz
    order by surplus.created_at desc, surplus.id desc offset ${value("max")}::int)`,
);

/**
 * Two statements and no lock: whoever has added a session looks at all of them afterwards, so that the last of many sign-ins at
 * once leaves as many as there may be. Null when the password or the account is no longer what was checked.
 */
export async function insertSession(
  database: Database,
  session: Omit<SessionRow, "createdAt" | "lastActiveAt"> & { now: string; max: number; auditId: string; passwordHash: string },
): Promise<{ ended: { id: string; userId: string }[]; isKnownDevice: boolean } | null> {
  const { userId, now, max } = session;
  const [inserted] = await insert(database, { ...session });
  if (!inserted) return null;
  return { ...inserted, ended: await endSurplus(database, { userId, now, max, reason: "replaced" }) };
}

export interface Rotated {
  counter: number;
  expiresAt: string;
}

const rotate = statement<Record<string, unknown>, Rotated>(
  "rotate_session",
  sql`update sessions set counter = counter + 1, rotated_at = ${value("now")}::timestamptz, attempt_id = ${value("attemptId")},
      last_active_at = ${value("now")}::timestamptz,
      expires_at = least(${value("now")}::timestamptz + make_interval(secs => ${value("ttlMs")}::float8 / 1000),
        created_at + make_interval(secs => ${value("maxAgeMs")}::float8 / 1000))
    where id = ${value("id")}::uuid and counter = ${value("counter")}::int and ${isLive}
      and exists (select 1 from users where users.id = sessions.user_id and users.status = 'active')
    returning counter, expires_at as "expiresAt"`,
);

/** Null unless this counter was the current one. */
export async function rotateSession(database: Database, values: Record<string, unknown>): Promise<Rotated | null> {
  const [rotated] = await rotate(database, values);
  return rotated ?? null;
}

export interface SessionState {
  userId: string;
  status: "active" | "suspended";
  counter: number;
  rotatedAt: string | null;
  attemptId: string | null;
  isLive: boolean;
}

const state = statement<{ id: string; now: string }, SessionState>(
  "session_state",
  sql`select sessions.user_id as "userId", users.status, sessions.counter, sessions.rotated_at as "rotatedAt",
      sessions.attempt_id as "attemptId", (${isLive}) as "isLive"
    from sessions join users on users.id = sessions.user_id where sessions.id = ${value("id")}::uuid`,
);

export async function findSessionState(database: Database, id: string, now: string): Promise<SessionState | null> {
  const [found] = await state(database, { id, now });
  return found ?? null;
}

export interface LiveSession {
  userId: string;
  plan: Plan;
  budget: Budget;
  role: string;
  permissions: string[];
  status: "active" | "suspended";
  expiresAt: string;
}

const live = statement<{ id: string; now: string }, LiveSession>(
  "live_session",
  sql`select users.id as "userId", users.plan, json_build_object('tokens', users.budget_tokens, 'micros', users.budget_micros) as budget,
      users.role, roles.permissions, users.status, sessions.expires_at as "expiresAt"
    from sessions join users on users.id = sessions.user_id join roles on roles.name = users.role
    where sessions.id = ${value("id")}::uuid and ${isLive}`,
);

export async function findLiveSession(database: Database, id: string, now: string): Promise<LiveSession | null> {
  const [found] = await live(database, { id, now });
  return found ?? null;
}

const list = statement<{ userId: string; now: string }, SessionRow>(
  "list_sessions",
  sql`select ${columns} from sessions where sessions.user_id = ${value("userId")}::uuid and ${isLive}
    order by sessions.last_active_at desc, sessions.id desc`,
);

export function listSessions(database: Database, userId: string, now: string): Promise<SessionRow[]> {
  return list(database, { userId, now });
}

const endOne = ending("end_session", sql`sessions.id = ${value("id")}::uuid and sessions.user_id = ${value("userId")}::uuid`);

const endAll = ending(
  "end_sessions",
  sql`sessions.user_id = ${value("userId")}::uuid and sessions.id is distinct from ${value("except")}::uuid`,
);

export function endSession(database: Database, values: { id: string; userId: string; now: string; reason: EndReason }) {
  return endOne(database, values);
}

export function endSessions(
  database: Database,
  values: { userId: string; except: string | null; now: string; reason: EndReason },
) {
  return endAll(database, values);
}

const knownDevice = statement<Record<string, unknown>, { isKnownDevice: boolean }>(
  "known_device",
  sql`select ${isKnownDevice(sql`${value("userId")}::uuid`)}`,
);

export async function findKnownDevice(database: Database, values: { userId: string; ip: string; userAgent: string | null }) {
  const [found] = await knownDevice(database, values);
  return found?.isKnownDevice ?? false;
}

const expired = statement<{ now: string }, { id: string; userId: string }>(
  "end_expired_sessions",
  sql`with ended as (
      update sessions set ended_at = expires_at, end_reason = 'expired'
      where ended_at is null and expires_at <= ${value("now")}::timestamptz returning id, user_id),
    told as (insert into access_changes (kind, user_id, session_id) select 'session_ended', user_id, id from ended)
    select id, user_id as "userId" from ended`,
);

/** Calls of an expired session are refused anyhow; this ends what it holds open. */
export function endExpiredSessions(database: Database, now: string): Promise<{ id: string; userId: string }[]> {
  return expired(database, { now });
}

const sweep = statement<{ now: string }, never>(
  "sweep_sessions",
  sql`delete from sessions where expires_at < ${value("now")}::timestamptz - interval '90 days'`,
);

/** Ended ones are kept for a while: they say which devices a person is known by. */
export async function sweepSessions(database: Database, now: string): Promise<void> {
  await sweep(database, { now });
}
