import type { AuditPage } from "@parley/contract";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value, type Written } from "../database/statement.ts";
import type { Ports } from "../ports.ts";

/** What can be recorded; the list is what a reader of the log may filter by. */
export type AuditAction =
  | "account.register"
  | "account.login"
  | "account.lock"
  | "account.update"
  | "account.delete"
  | "account.suspend"
  | "account.restore"
  | "account.plan"
  | "account.role"
  | "password.change"
  | "password.reset"
  | "email.verify"
  | "session.end"
  | "session.reuse"
  | "key.create"
  | "key.revoke"
  | "invite.create"
  | "conversation.delete"
  | "conversation.export"
  | "conversation.import"
  | "conversation.share"
  | "conversation.update"
  | "conversation.visibility"
  | "member.add"
  | "member.join"
  | "member.leave"
  | "member.remove"
  | "member.role"
  | "message.edit"
  | "message.delete";

interface Deed {
  /** What it was done to: `user:ID`, `session:ID`. */
  target: string | null;
  address: string | null;
  details?: Record<string, string | number | boolean | null>;
}

export type Audit = ReturnType<typeof createAudit>;

const keepDays = 365;
const sweepMs = 6 * 60 * 60_000;

/** Who did what to what. Never the content of anything, never a secret. */
export function createAudit({ database, ids, background }: Pick<Ports, "database" | "ids" | "background">) {
  background.every("sweep the audit log", sweepMs, async () => {
    await sweep(database, { days: keepDays });
  });

  /** Written in the background: what is recorded does not wait for its record. The actor is null when nobody is signed in. */
  const recorded =
    (outcome: "done" | "refused") =>
    (actorId: string | null, action: AuditAction, { target, address, details = {} }: Deed) => {
      const row = { id: ids.next(), actorId, action, target, outcome, address, details: JSON.stringify(details) };
      background.run("audit", async () => {
        await insert(database, row);
      });
    };

  return { done: recorded("done"), refused: recorded("refused") };
}

const insert = statement<Record<string, unknown>, never>(
  "insert_audit",
  // The actor may be gone by now: the line stays without a name.
  sql`insert into audit_log (id, actor_id, action, target, outcome, address, details)
    values (${value("id")}::uuid, (select id from users where id = ${value("actorId")}::uuid), ${value("action")}, ${value("target")},
      ${value("outcome")}, ${value("address")}, ${value("details")}::jsonb)`,
);

const sweep = statement<{ days: number }, never>(
  "sweep_audit",
  sql`delete from audit_log where created_at < now() - make_interval(days => ${value("days")}::int)`,
);

export type AuditLine = Written<AuditPage["items"][number]>;

const columns = sql`id, actor_id as "actorId", action, target, outcome, address, details, created_at as "createdAt"`;
const further = sql`(${value("before")}::uuid is null or id < ${value("before")}::uuid)
  and (${value("action")}::text is null or action = ${value("action")}::text) order by id desc limit ${value("limit")}::int`;

const page = statement<Record<string, unknown>, AuditLine>("audit_page", sql`select ${columns} from audit_log where ${further}`);

const pageOfActor = statement<Record<string, unknown>, AuditLine>(
  "audit_page_of_actor",
  sql`select ${columns} from audit_log where actor_id = ${value("actorId")}::uuid and ${further}`,
);

export function listAudit(
  database: Database,
  { actorId, ...where }: { before: string | null; actorId: string | null; action: string | null; limit: number },
): Promise<AuditLine[]> {
  return actorId === null ? page(database, where) : pageOfActor(database, { ...where, actorId });
}
