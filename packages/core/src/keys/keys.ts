import { type ApiKeyList, type CreateApiKey, type CreatedApiKey, defaultScopes, type Plan } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { sha256, toHex } from "../auth/secrets.ts";
import type { Budget } from "../budgets/budgets.ts";
import { AppError, invalidField } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { orEnded } from "../sessions/live-session.ts";
import { findLiveSession } from "../sessions/queries.ts";
import {
  findExpiredKeys,
  findLiveKey,
  insertKey,
  listKeys,
  lockOwner,
  noteKeyUse,
  revokeKey,
  revokeKeys,
  sweepKeys,
} from "./queries.ts";
import { findForbiddenScope, narrowPermissions } from "./scopes.ts";

const maxKeys = 50;
const prefixLength = 12;
const noteUseEveryMs = 60_000;
const expireMs = 30_000;
const sweepMs = 6 * 60 * 60_000;

/** Whom a key speaks for, and what it may do. */
export interface KeyHolder {
  keyId: string;
  userId: string;
  plan: Plan;
  budget: Budget;
  /** Of the owner's, what the key's scopes leave. */
  permissions: readonly string[];
  scopes: readonly string[];
  expiresAt: Date | null;
}

export type Keys = ReturnType<typeof createKeys>;

export function createKeys(
  { database, clock, ids, background }: Pick<Ports, "database" | "clock" | "ids" | "background">,
  { access, audit }: { access: AccessChanges; audit: Audit },
) {
  // Each node closes what its own callers hold open with a key that has come to its end.
  background.every("end expired keys", expireMs, async () => {
    const expired = await findExpiredKeys(database, clock.now().toISOString());
    for (const { id, userId } of expired) access.apply({ kind: "session_ended", userId, sessionId: id });
  });
  background.every("sweep keys", sweepMs, () => sweepKeys(database, clock.now().toISOString()));

  return {
    async create(actor: Actor, input: CreateApiKey, { address }: Caller): Promise<CreatedApiKey> {
      // Otherwise a key that leaks could outlive its own end.
      if (actor.via === "key") throw new AppError("forbidden", "An API key cannot make another: sign in");
      const now = clock.now();
      if (input.expiresAt && input.expiresAt <= now) throw invalidField("expiresAt", "A key expires in the future");
      const scopes = [...new Set(input.scopes ?? defaultScopes)];
      const forbidden = findForbiddenScope(actor.permissions, scopes);
      if (forbidden) throw new AppError("forbidden", `You do not have the permission ${forbidden} yourself`);
      const key = makeKey();
      const row = {
        id: ids.next(),
        userId: actor.userId,
        name: input.name,
        prefix: key.slice(0, prefixLength),
        hash: await hashKey(key),
        scopes,
        expiresAt: input.expiresAt?.toISOString() ?? null,
        now: now.toISOString(),
      };
      const apiKey = await database.transaction(async (transaction) => {
        await lockOwner(transaction, actor.userId);
        // A reset ends sessions first and then waits for this lock to revoke keys: no key of a session that it ended stays.
        orEnded(await findLiveSession(transaction, actor.sessionId, row.now));
        return insertKey(transaction, row, maxKeys);
      });
      if (!apiKey) throw new AppError("conflict", `An account has at most ${maxKeys} API keys: revoke one first`);
      audit.done(actor.userId, "key.create", { target: `key:${apiKey.id}`, address, details: { scopes: scopes.join(" ") } });
      return { key, apiKey };
    },

    list: (actor: Actor): Promise<ApiKeyList> => listKeys(database, actor.userId),

    async revoke(actor: Actor, id: string, { address }: Caller): Promise<void> {
      const { userId } = actor;
      if (!(await revokeKey(database, { id, userId, now: clock.now().toISOString() }))) {
        throw new AppError("not_found", "This API key does not exist");
      }
      // To what it has opened, a key is its session.
      access.apply({ kind: "session_ended", userId, sessionId: id });
      audit.done(userId, "key.revoke", { target: `key:${id}`, address });
    },

    async revokeAll(userId: string): Promise<void> {
      for (const { id } of await revokeKeys(database, { userId, now: clock.now().toISOString() })) {
        access.apply({ kind: "session_ended", userId, sessionId: id });
      }
    },

    /** Null for whatever is no key, or no longer one. */
    authenticate: async (key: string): Promise<KeyHolder | null> =>
      keyForm.test(key) ? findHolder({ hash: await hashKey(key) }) : null,

    /** Of a key that was seen before. */
    find: (id: string): Promise<KeyHolder | null> => findHolder({ id }),
  };

  async function findHolder(by: Parameters<typeof findLiveKey>[1]): Promise<KeyHolder | null> {
    const now = clock.now();
    const found = await findLiveKey(database, by, now.toISOString());
    if (!found) return null;
    const { lastUsedAt, permissions, ...holder } = found;
    const before = new Date(now.getTime() - noteUseEveryMs);
    if (!lastUsedAt || lastUsedAt <= before) {
      const use = { id: holder.keyId, now: now.toISOString(), before: before.toISOString() };
      background.run("note the use of a key", () => noteKeyUse(database, use));
    }
    return { ...holder, permissions: narrowPermissions(permissions, holder.scopes) };
  }
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62 to the power of 43 is just above 2 to the power of 256. */
const secretLength = 43;
const keyForm = /^plk_[0-9A-Za-z]{43}$/;

/** Letters and digits only: a double click selects the whole of it. */
function makeKey(): string {
  let rest = BigInt(`0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`);
  let secret = "";
  while (secret.length < secretLength) {
    secret = alphabet.charAt(Number(rest % 62n)) + secret;
    rest /= 62n;
  }
  return `plk_${secret}`;
}

async function hashKey(key: string): Promise<string> {
  return toHex(await sha256(key));
}
