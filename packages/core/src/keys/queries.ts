import type { ApiKey, Plan } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import type { Budget } from "../budgets/budgets.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

const columns = sql`id, name, prefix, scopes, created_at as "createdAt", expires_at as "expiresAt", last_used_at as "lastUsedAt"`;

const isLive = sql`revoked_at is null and (expires_at is null or expires_at > ${value("now")}::timestamptz)`;

export interface NewKey {
  id: string;
  userId: string;
  name: string;
  prefix: string;
  hash: string;
  scopes: readonly string[];
  expiresAt: string | null;
  now: string;
}

const lock = statement<{ userId: string }, { id: string }>(
  "lock_key_owner",
  sql`select id from users where id = ${value("userId")}::uuid for no key update`,
);

/** Keys of one person are made and revoked in turn. */
export async function lockOwner(transaction: Database, userId: string): Promise<void> {
  await lock(transaction, { userId });
}

const insert = statement<Record<string, unknown>, Written<ApiKey>>(
  "insert_key",
  sql`insert into api_keys (id, user_id, name, prefix, hash, scopes, created_at, expires_at)
    select ${value("id")}::uuid, ${value("userId")}::uuid, ${value("name")}, ${value("prefix")}, ${value("hash")},
      array(select jsonb_array_elements_text(${value("scopes")}::jsonb)), ${value("now")}::timestamptz, ${value("expiresAt")}::timestamptz
    where (select count(*) from api_keys where user_id = ${value("userId")}::uuid and ${isLive}) < ${value("max")}::int
    returning ${columns}`,
);

/** Null when the person has as many as are allowed; exact while the owner is locked. */
export async function insertKey(transaction: Database, key: NewKey, max: number): Promise<ApiKey | null> {
  const [row] = await insert(transaction, { ...key, scopes: JSON.stringify(key.scopes), max });
  return row ? toApiKey(row) : null;
}

const list = statement<{ userId: string }, Written<ApiKey>>(
  "list_keys",
  sql`select ${columns} from api_keys where user_id = ${value("userId")}::uuid and revoked_at is null
    order by created_at desc, id desc limit 500`,
);

/** Expired ones too, until they are swept: their owner may wonder where they have gone. */
export async function listKeys(database: Database, userId: string): Promise<ApiKey[]> {
  return (await list(database, { userId })).map(toApiKey);
}

const expired = statement<{ now: string }, { id: string; userId: string }>(
  "expired_keys",
  sql`select id, user_id as "userId" from api_keys
    where revoked_at is null and expires_at <= ${value("now")}::timestamptz
      and expires_at > ${value("now")}::timestamptz - interval '5 minutes'`,
);

/** Those that have expired lately. */
export function findExpiredKeys(database: Database, now: string): Promise<{ id: string; userId: string }[]> {
  return expired(database, { now });
}

/** To what it has opened, a key is its session. */
const revoking = (name: string, which: SQL) =>
  statement<Record<string, unknown>, { id: string }>(
    name,
    sql`with revoked as (
        update api_keys set revoked_at = ${value("now")}::timestamptz
        where ${which} and user_id = ${value("userId")}::uuid and revoked_at is null
        returning id, user_id),
      told as (insert into access_changes (kind, user_id, session_id) select 'session_ended', user_id, id from revoked)
      select id from revoked`,
  );

const revoke = revoking("revoke_key", sql`id = ${value("id")}::uuid`);
const revokeEach = revoking("revoke_keys", sql`true`);

/** After whoever is just making one. */
export function revokeKeys(database: Database, values: { userId: string; now: string }): Promise<{ id: string }[]> {
  return database.transaction(async (transaction) => {
    await lockOwner(transaction, values.userId);
    return revokeEach(transaction, values);
  });
}

/** False for a key that does not exist, one that is revoked and somebody else's. */
export async function revokeKey(database: Database, values: { id: string; userId: string; now: string }): Promise<boolean> {
  return (await revoke(database, values)).length === 1;
}

interface LiveKeyRow {
  keyId: string;
  userId: string;
  plan: Plan;
  budget: Budget;
  permissions: string[];
  scopes: string[];
  expiresAt: string | null;
  lastUsedAt: string | null;
}

/** Missing: a key that was never made, has expired or is revoked, and any while its owner is suspended. */
const live = (name: string, where: SQL) =>
  statement<Record<string, unknown>, LiveKeyRow>(
    name,
    sql`select api_keys.id as "keyId", users.id as "userId", users.plan,
        json_build_object('tokens', users.budget_tokens, 'micros', users.budget_micros) as budget, roles.permissions, api_keys.scopes,
        api_keys.expires_at as "expiresAt", api_keys.last_used_at as "lastUsedAt"
      from api_keys join users on users.id = api_keys.user_id join roles on roles.name = users.role
      where ${where} and users.status = 'active' and ${isLive}`,
  );

const liveByHash = live("live_key", sql`api_keys.hash = ${value("hash")}`);
const liveById = live("live_key_by_id", sql`api_keys.id = ${value("id")}::uuid`);

export async function findLiveKey(database: Database, by: { hash: string } | { id: string }, now: string) {
  const [row] = await ("hash" in by ? liveByHash : liveById)(database, { ...by, now });
  if (!row) return null;
  return { ...row, expiresAt: readInstantOrNull(row.expiresAt), lastUsedAt: readInstantOrNull(row.lastUsedAt) };
}

const noteUse = statement<{ id: string; now: string; before: string }, never>(
  "note_key_use",
  sql`update api_keys set last_used_at = ${value("now")}::timestamptz
    where id = ${value("id")}::uuid and (last_used_at is null or last_used_at <= ${value("before")}::timestamptz)`,
);

/** Nodes that see the same key at once write it once. */
export async function noteKeyUse(database: Database, values: { id: string; now: string; before: string }): Promise<void> {
  await noteUse(database, values);
}

const sweep = statement<{ now: string }, never>(
  "sweep_keys",
  sql`delete from api_keys where coalesce(revoked_at, expires_at) < ${value("now")}::timestamptz - interval '30 days'`,
);

export async function sweepKeys(database: Database, now: string): Promise<void> {
  await sweep(database, { now });
}

function toApiKey(row: Written<ApiKey>): ApiKey {
  return {
    ...row,
    createdAt: readInstant(row.createdAt),
    expiresAt: readInstantOrNull(row.expiresAt),
    lastUsedAt: readInstantOrNull(row.lastUsedAt),
  };
}
