import { eq, or, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { users } from "../database/schema.ts";
import { prepared, statement, value } from "../database/statement.ts";

export type UserRow = typeof users.$inferSelect;

const userByKey = prepared((database) =>
  database
    .select()
    .from(users)
    .where(or(eq(users.emailKey, value("key")), eq(users.usernameKey, value("key"))))
    .limit(1)
    .prepare("user_by_key"),
);

/** By e-mail address or username, folded. */
export async function findUserByKey(database: Database, key: string): Promise<UserRow | null> {
  const [user] = await userByKey(database).execute({ key });
  return user ?? null;
}

const userByEmail = prepared((database) =>
  database
    .select()
    .from(users)
    .where(eq(users.emailKey, value("key")))
    .prepare("user_by_email"),
);

export async function findUserByEmail(database: Database, key: string): Promise<UserRow | null> {
  const [user] = await userByEmail(database).execute({ key });
  return user ?? null;
}

const userById = prepared((database) =>
  database
    .select()
    .from(users)
    .where(eq(users.id, value("id")))
    .prepare("user_by_id"),
);

export async function findUser(database: Database, id: string): Promise<UserRow | null> {
  const [user] = await userById(database).execute({ id });
  return user ?? null;
}

export interface NewUser {
  id: string;
  email: string;
  emailKey: string;
  username: string | null;
  usernameKey: string | null;
  displayName: string;
  passwordHash: string;
  isFounder: boolean;
  emailVerifiedAt: string | null;
  createdAt: string;
  /** The hash of an invitation, used up together with the account that it makes. */
  invitation: string | null;
}

const insert = statement<Record<string, unknown>, { id: string }>(
  "insert_user",
  sql`with invitation as (
      update one_time_links set used_at = ${value("createdAt")}::timestamptz
      where hash = ${value("invitation")}::text and kind = 'invite' and used_at is null
        and expires_at > ${value("createdAt")}::timestamptz
        and not exists (select 1 from users where email_key = ${value("emailKey")} or username_key = ${value("usernameKey")})
      returning hash)
    insert into users (id, email, email_key, username, username_key, display_name, password_hash, role, is_founder,
      email_verified_at, created_at)
    select ${value("id")}::uuid, ${value("email")}, ${value("emailKey")}, ${value("username")}, ${value("usernameKey")},
      ${value("displayName")}, ${value("passwordHash")}, case when ${value("isFounder")}::boolean then 'admin' else 'user' end,
      ${value("isFounder")}::boolean, ${value("emailVerifiedAt")}::timestamptz, ${value("createdAt")}::timestamptz
    where ${value("invitation")}::text is null or exists (select 1 from invitation)
    on conflict do nothing returning id`,
);

/** False when the address, the name or the founder's place is taken, or the invitation does not hold. */
export async function insertUser(database: Database, user: NewUser): Promise<boolean> {
  return (await insert(database, { ...user })).length === 1;
}

const taken = statement<{ emailKey: string; usernameKey: string | null }, { email: boolean; username: boolean }>(
  "names_taken",
  sql`select exists (select 1 from users where email_key = ${value("emailKey")}) as email,
    exists (select 1 from users where username_key = ${value("usernameKey")}::text) as username`,
);

export async function findTaken(database: Database, names: { emailKey: string; usernameKey: string | null }) {
  const [found] = await taken(database, names);
  return found ?? { email: false, username: false };
}

const anyAccount = statement<Record<string, never>, { exists: boolean }>(
  "any_account",
  sql`select exists (select 1 from users) as exists`,
);

export async function hasAccounts(database: Database): Promise<boolean> {
  const [found] = await anyAccount(database, {});
  return found?.exists ?? false;
}

const nobody = "00000000-0000-7000-8000-000000000000";
const failuresBeforeLock = 10;
const failuresPerLock = 5;

const failure = statement<Record<string, unknown>, { failures: number; lockedUntil: string | null }>(
  "count_failure",
  // The lock doubles every five failures, from a minute to an hour.
  sql`update users set failed_sign_ins = failed_sign_ins + 1,
      locked_until = case
        when failed_sign_ins + 1 >= ${sql.raw(String(failuresBeforeLock))}
          and (failed_sign_ins + 1) % ${sql.raw(String(failuresPerLock))} = 0
        then ${value("now")}::timestamptz + least(interval '1 hour',
          interval '1 minute' * power(2, least(10, (failed_sign_ins + 1 - ${sql.raw(String(failuresBeforeLock))})
            / ${sql.raw(String(failuresPerLock))})))
        else locked_until end
    where id = ${value("id")}::uuid returning failed_sign_ins as failures, locked_until as "lockedUntil"`,
);

/** Counted exactly, also at once; for an unknown name the same statement finds nobody, and takes as long. */
export async function countFailure(database: Database, userId: string | null, now: string) {
  const [counted] = await failure(database, { id: userId ?? nobody, now });
  return counted ?? null;
}

const password = statement<Record<string, unknown>, { id: string }>(
  "set_password",
  // Letters that offered another way in are worthless from now on.
  sql`with letters as (
      delete from one_time_links where user_id = ${value("id")}::uuid and kind = 'reset_password')
    update users set password_hash = ${value("passwordHash")}, failed_sign_ins = 0, locked_until = null
    where id = ${value("id")}::uuid and (${value("before")}::text is null or password_hash = ${value("before")}::text) returning id`,
);

/** Only while the hash is still the one that was checked, where one is given. */
export async function setPasswordHash(database: Database, values: { id: string; passwordHash: string; before: string | null }) {
  return (await password(database, values)).length === 1;
}

const verified = statement<{ id: string; now: string }, never>(
  "verify_email",
  sql`with changed as (
      update users set email_verified_at = ${value("now")}::timestamptz
      where id = ${value("id")}::uuid and email_verified_at is null returning id)
    insert into access_changes (kind, user_id) select 'profile_changed', id from changed`,
);

export async function markEmailVerified(database: Database, id: string, now: string): Promise<void> {
  await verified(database, { id, now });
}
