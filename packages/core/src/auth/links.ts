import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import type { Clock } from "../ports.ts";
import { randomToken, sha256, toHex } from "./secrets.ts";

export type LinkKind = "verify_email" | "reset_password" | "invite";

const lifetimeMs: Record<LinkKind, number> = {
  verify_email: 24 * 3_600_000,
  reset_password: 3_600_000,
  invite: 7 * 24 * 3_600_000,
};

export const hashLink = async (token: string) => toHex(await sha256(`link:${token}`));

/** Links that work once and for a while. What is kept of them opens nothing. */
export function createLinks({ database, clock }: { database: Database; clock: Clock }) {
  return {
    async make(kind: LinkKind, userId: string): Promise<{ token: string; expiresAt: Date; hours: number }> {
      const token = randomToken();
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + lifetimeMs[kind]);
      const hash = await hashLink(token);
      await insert(database, { hash, kind, userId, now: now.toISOString(), expiresAt: expiresAt.toISOString() });
      return { token, expiresAt, hours: lifetimeMs[kind] / 3_600_000 };
    },

    /** Whom the link is for; null for one that was used, is too old or was never made. */
    async use(kind: LinkKind, token: string): Promise<string | null> {
      const [used] = await take(database, { kind, hash: await hashLink(token), now: clock.now().toISOString() });
      return used?.userId ?? null;
    },

    drop: async (kind: LinkKind, userId: string) => {
      await remove(database, { kind, userId });
    },

    sweep: async () => {
      await sweep(database, { now: clock.now().toISOString() });
    },
  };
}

const insert = statement<Record<string, unknown>, never>(
  "insert_link",
  // A new letter makes the one before it worthless.
  sql`with older as (
      delete from one_time_links where user_id = ${value("userId")}::uuid and kind = ${value("kind")} and kind <> 'invite')
    insert into one_time_links (hash, kind, user_id, created_at, expires_at)
    values (${value("hash")}, ${value("kind")}, ${value("userId")}::uuid, ${value("now")}::timestamptz, ${value("expiresAt")}::timestamptz)`,
);

const take = statement<Record<string, unknown>, { userId: string }>(
  "use_link",
  sql`update one_time_links set used_at = ${value("now")}::timestamptz
    where hash = ${value("hash")} and kind = ${value("kind")} and used_at is null and expires_at > ${value("now")}::timestamptz
    returning user_id as "userId"`,
);

const remove = statement<Record<string, unknown>, never>(
  "drop_links",
  sql`delete from one_time_links where user_id = ${value("userId")}::uuid and kind = ${value("kind")}`,
);

const sweep = statement<{ now: string }, never>(
  "sweep_links",
  sql`delete from one_time_links where expires_at < ${value("now")}::timestamptz - interval '1 day'`,
);
