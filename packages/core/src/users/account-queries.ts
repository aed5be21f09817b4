import type { Account, SetPlan } from "@parley/contract";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

const columns = sql`id, email, email_verified_at is not null as "emailVerified", username, display_name as "displayName", role, plan,
  json_build_object('tokens', budget_tokens, 'micros', budget_micros) as budget, status, locked_until as "lockedUntil", last_login_at as "lastLoginAt", last_active_at as "lastActiveAt", created_at as "createdAt"`;

const list = statement<Record<string, unknown>, Written<Account>>(
  "list_accounts",
  sql`select ${columns} from users
    where (${value("before")}::uuid is null or id < ${value("before")}::uuid)
      and (${value("pattern")}::text is null or email_key like ${value("pattern")}::text
        or username_key like ${value("pattern")}::text or lower(display_name) like ${value("pattern")}::text)
    order by id desc limit ${value("limit")}::int`,
);

/** The newest first. `search` is a part of a name, folded. */
export async function listAccounts(
  database: Database,
  { before, search, limit }: { before: string | null; search: string | null; limit: number },
): Promise<Account[]> {
  const pattern = search === null ? null : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  return (await list(database, { before, pattern, limit })).map(toAccount);
}

/** Changes a right and tells every node, in one statement. */
const changing = (name: string, set: ReturnType<typeof sql>) =>
  statement<Record<string, unknown>, Written<Account>>(
    name,
    sql`with changed as (update users set ${set} where id = ${value("id")}::uuid returning ${columns}),
      told as (insert into access_changes (kind, user_id) select 'rights_changed', id from changed)
      select * from changed`,
  );

const status = changing("set_account_status", sql`status = ${value("status")}`);
const role = changing("set_account_role", sql`role = ${value("role")}`);

export async function setAccountStatus(transaction: Database, id: string, wanted: Account["status"]): Promise<Account | null> {
  const [row] = await status(transaction, { id, status: wanted });
  return row ? toAccount(row) : null;
}

export async function setAccountRole(transaction: Database, id: string, wanted: string): Promise<Account | null> {
  const [row] = await role(transaction, { id, role: wanted });
  return row ? toAccount(row) : null;
}

const plan = changing(
  "set_account_plan",
  sql`plan = ${value("plan")},
    budget_tokens = case when ${value("keeps")}::boolean then budget_tokens else ${value("tokens")}::bigint end,
    budget_micros = case when ${value("keeps")}::boolean then budget_micros else ${value("micros")}::bigint end`,
);

/** Without a budget the one there is stays. */
export async function setAccountPlan(transaction: Database, { id, plan: wanted, budget }: SetPlan): Promise<Account | null> {
  const { tokens, micros } = budget ?? { tokens: null, micros: null };
  const [row] = await plan(transaction, { id, plan: wanted, keeps: budget === undefined, tokens, micros });
  return row ? toAccount(row) : null;
}

const permissions = statement<{ role: string }, { permissions: string[] }>(
  "permissions_of_role",
  sql`select permissions from roles where name = ${value("role")}`,
);

/** Null for a role that does not exist. */
export async function findPermissions(database: Database, role: string): Promise<string[] | null> {
  const [row] = await permissions(database, { role });
  return row?.permissions ?? null;
}

function toAccount(row: Written<Account>): Account {
  return {
    ...row,
    lockedUntil: readInstantOrNull(row.lockedUntil),
    lastLoginAt: readInstantOrNull(row.lastLoginAt),
    lastActiveAt: readInstantOrNull(row.lastActiveAt),
    createdAt: readInstant(row.createdAt),
  };
}
