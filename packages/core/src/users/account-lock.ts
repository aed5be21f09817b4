import { sql } from "drizzle-orm";
import { advisoryLocks } from "../database/advisory-locks.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

const lock = statement<Record<string, never>, never>(
  "lock_administrators",
  sql`select pg_advisory_xact_lock(${sql.raw(advisoryLocks.administrators)})`,
);

/**
 * Who takes an administrator away takes this first, until the transaction ends: two that remove each other would both
 * find that one is left. Always before the lock of an account, so that nobody waits in a circle.
 */
export async function lockAdministrators(transaction: Database): Promise<void> {
  await lock(transaction, {});
}

export interface LockedAccount {
  id: string;
  role: string;
  status: "active" | "suspended";
  permissions: string[];
}

const lockById = statement<{ id: string }, LockedAccount>(
  "lock_account",
  sql`select users.id, users.role, users.status, roles.permissions
    from users join roles on roles.name = users.role where users.id = ${value("id")}::uuid for update of users`,
);

export async function lockAccount(transaction: Database, id: string): Promise<LockedAccount | null> {
  const [account] = await lockById(transaction, { id });
  return account ?? null;
}

const active = statement<{ id: string }, { permissions: string[] }>(
  "active_permissions",
  sql`select roles.permissions from users join roles on roles.name = users.role
    where users.id = ${value("id")}::uuid and users.status = 'active'`,
);

/** Null for an account that is suspended or gone. */
export async function findActivePermissions(transaction: Database, id: string): Promise<string[] | null> {
  const [found] = await active(transaction, { id });
  return found?.permissions ?? null;
}

const others = statement<{ id: string }, { exist: boolean }>(
  "other_administrators",
  sql`select exists (select 1 from users join roles on roles.name = users.role
    where '*' = any(roles.permissions) and users.status = 'active' and users.id <> ${value("id")}::uuid) as exist`,
);

export async function hasOtherAdministrator(transaction: Database, id: string): Promise<boolean> {
  const [found] = await others(transaction, { id });
  return found?.exist ?? false;
}

export const isAdministrator = ({ permissions }: Pick<LockedAccount, "permissions">) => permissions.includes("*");
