import type { Account, AccountPage, AuditPage, ListAccounts, ListAudit, SetPlan, SetRole } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import { type Audit, type AuditAction, listAudit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { fold } from "../auth/names.ts";
import type { Database } from "../database/index.ts";
import { readInstant } from "../database/statement.ts";
import { AppError, invalidField } from "../errors.ts";
import { includesPermission, narrowPermissions } from "../keys/scopes.ts";
import type { Ports } from "../ports.ts";
import { noAccount } from "../refusals.ts";
import {
  findActivePermissions,
  hasOtherAdministrator,
  isAdministrator,
  type LockedAccount,
  lockAccount,
  lockAdministrators,
} from "./account-lock.ts";
import { findPermissions, listAccounts, setAccountPlan, setAccountRole, setAccountStatus } from "./account-queries.ts";

interface Change {
  action: AuditAction;
  id: string;
  details?: Record<string, string>;
  /** It gives nobody power over others. */
  mayBeOwn?: boolean;
  make: (transaction: Database, account: LockedAccount, caller: Rights) => Promise<Account | null>;
}

/** What somebody may do. */
type Rights = Pick<Actor, "permissions">;

const perPage = 50;

/** What an operator does to the accounts of others. Who may call it at all is the guards' to say. */
export function createAdministration(
  { database }: Pick<Ports, "database">,
  { access, audit }: { access: AccessChanges; audit: Audit },
) {
  async function change(
    actor: Actor,
    { action, id, details = {}, mayBeOwn = false, make }: Change,
    { address }: Caller,
  ): Promise<Account> {
    const target = `user:${id}`;
    try {
      const account = await database.transaction(async (transaction) => {
        await lockAdministrators(transaction);
        // What the caller was remembered to be may be older than its own demotion.
        const caller = await freshRights(transaction, actor);
        const locked = await lockAccount(transaction, id);
        if (!locked) throw noAccount();
        if (locked.id === actor.userId && !mayBeOwn) {
          throw new AppError("conflict", "You cannot change your own rights: ask another administrator");
        }
        checkReach(caller, locked.permissions);
        return make(transaction, locked, caller);
      });
      if (!account) throw noAccount();
      access.apply({ kind: "rights_changed", userId: account.id });
      audit.done(actor.userId, action, { target, address, details });
      return account;
    } catch (error) {
      if (error instanceof AppError)
        audit.refused(actor.userId, action, { target, address, details: { ...details, reason: error.reason } });
      throw error;
    }
  }

  return {
    users: {
      async list(_: Actor, { cursor, limit = perPage, search }: ListAccounts): Promise<AccountPage> {
        const where = { before: cursor ?? null, search: search === undefined ? null : fold(search), limit: limit + 1 };
        return pageOf(await listAccounts(database, where), limit);
      },

      suspend: (actor: Actor, id: string, caller: Caller): Promise<Account> =>
        change(
          actor,
          {
            action: "account.suspend",
            id,
            async make(transaction, account) {
              await checkNotLast(transaction, account);
              return setAccountStatus(transaction, id, "suspended");
            },
          },
          caller,
        ),

      restore: (actor: Actor, id: string, caller: Caller): Promise<Account> =>
        change(
          actor,
          { action: "account.restore", id, make: (transaction) => setAccountStatus(transaction, id, "active") },
          caller,
        ),

      setPlan: (actor: Actor, wanted: SetPlan, caller: Caller): Promise<Account> =>
        change(
          actor,
          {
            action: "account.plan",
            id: wanted.id,
            details: { plan: wanted.plan },
            mayBeOwn: true,
            make: (transaction) => setAccountPlan(transaction, wanted),
          },
          caller,
        ),

      setRole: (actor: Actor, { id, role }: SetRole, caller: Caller): Promise<Account> =>
        change(
          actor,
          {
            action: "account.role",
            id,
            details: { role },
            async make(transaction, account, caller) {
              const granted = await findPermissions(transaction, role);
              if (!granted) throw unknownRole();
              checkReach(caller, granted);
              if (!isAdministrator({ permissions: granted })) await checkNotLast(transaction, account);
              return setAccountRole(transaction, id, role);
            },
          },
          caller,
        ),
    },

    audit: {
      async list(_: Actor, { cursor, limit = perPage, actorId, action }: ListAudit): Promise<AuditPage> {
        const where = { before: cursor ?? null, actorId: actorId ?? null, action: action ?? null, limit: limit + 1 };
        const lines = await listAudit(database, where);
        return pageOf(
          lines.map((line) => ({ ...line, createdAt: readInstant(line.createdAt) })),
          limit,
        );
      },
    },
  };
}

/** Otherwise whoever manages accounts could make an administrator of a friend, or take one away. */
function checkReach(caller: Rights, permissions: readonly string[]) {
  const isBeyond = permissions.some((permission) => !includesPermission(caller.permissions, permission));
  if (isBeyond) throw new AppError("forbidden", "This takes permissions that you do not have");
}

async function freshRights(transaction: Database, actor: Actor): Promise<Rights> {
  const owned = (await findActivePermissions(transaction, actor.userId)) ?? [];
  const permissions = actor.scopes === null ? owned : narrowPermissions(owned, actor.scopes);
  if (!includesPermission(permissions, "users.manage")) {
    throw new AppError("forbidden", "You do not have the permission for this");
  }
  return { permissions };
}

async function checkNotLast(transaction: Database, account: LockedAccount) {
  if (!isAdministrator(account) || account.status !== "active") return;
  if (await hasOtherAdministrator(transaction, account.id)) return;
  throw new AppError("conflict", "This is the last administrator");
}

function pageOf<Row extends { id: string }>(rows: Row[], limit: number): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const unknownRole = () => invalidField("role", "There is no such role");
