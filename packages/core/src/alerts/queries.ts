import type { Alert } from "@parley/contract";
import { sql } from "drizzle-orm";
import { advisoryLocks } from "../database/advisory-locks.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

export interface SavedAlert extends Alert {
  /** Nobody was told: it came so soon after its like. */
  quiet: boolean;
}

export interface OpenAlert extends SavedAlert {
  /** No node has seen it for too long. */
  isStale: boolean;
}

const columns = sql`id, rule, subject, severity, text, value, threshold, unit, opened_at as "openedAt", seen_at as "seenAt",
  resolved_at as "resolvedAt"`;

const open = statement<{ staleMs: number }, Written<OpenAlert>>(
  "open_alerts",
  sql`select ${columns}, quiet, seen_at < now() - make_interval(secs => ${value("staleMs")}::float8 / 1000) as "isStale"
    from alerts where resolved_at is null order by opened_at, id`,
);

export async function findOpenAlerts(database: Database, staleMs: number): Promise<OpenAlert[]> {
  return (await open(database, { staleMs })).map((row) => ({ ...toSaved(row), isStale: row.isStale }));
}

interface NewAlert extends Omit<Alert, "seenAt"> {
  quietMs: number;
  /** People were told while it could not be saved. */
  isTold: boolean;
}

type Inserted = Omit<NewAlert, "openedAt" | "resolvedAt"> & { openedAt: string; resolvedAt: string | null };

/** Clocks of nodes differ. */
const apart = sql`interval '5 seconds'`;

const insert = statement<Inserted, Written<SavedAlert>>(
  "insert_alert",
  sql`insert into alerts (id, rule, subject, severity, text, value, threshold, unit, opened_at, seen_at, resolved_at, quiet)
    select given.*, not ${value("isTold")}::boolean and exists (
        select from alerts where alerts.rule = given.rule and alerts.subject = given.subject and not quiet
          and alerts.resolved_at > given.opened_at - make_interval(secs => ${value("quietMs")}::float8 / 1000))
    from (select ${value("id")}::uuid, ${value("rule")}::text as rule, ${value("subject")}::text as subject,
        ${value("severity")}::text, ${value("text")}::text, ${value("value")}::float8, ${value("threshold")}::float8,
        ${value("unit")}::text, ${value("openedAt")}::timestamptz as opened_at, now(), ${value("resolvedAt")}::timestamptz as resolved_at) as given
    where given.resolved_at is null or not exists (
      select from alerts where alerts.rule = given.rule and alerts.subject = given.subject
        and alerts.opened_at <= given.resolved_at + ${apart}
        and coalesce(alerts.resolved_at, 'infinity') >= given.opened_at - ${apart})
    on conflict do nothing
    returning ${columns}, quiet`,
);

/** Null where it is open already. */
export async function insertAlert(database: Database, alert: NewAlert): Promise<SavedAlert | null> {
  const { openedAt, resolvedAt, ...rest } = alert;
  const times = { openedAt: openedAt.toISOString(), resolvedAt: resolvedAt?.toISOString() ?? null };
  return first(await insert(database, { ...rest, ...times }));
}

/** What was over before it could be saved; null where another node has saved the same. */
export async function insertPastAlert(database: Database, alert: NewAlert): Promise<SavedAlert | null> {
  return database.transaction(async (transaction) => {
    // In turn: nodes come back together, and no index keeps them from saving the same.
    await transaction.execute(sql`select pg_advisory_xact_lock(${sql.raw(advisoryLocks.pastAlerts)})`);
    return insertAlert(transaction, alert);
  });
}

type Kept = Pick<Alert, "id" | "severity" | "text" | "value" | "threshold">;

const keep = statement<Kept, Written<SavedAlert>>(
  "keep_alert",
  sql`update alerts set seen_at = now(), severity = ${value("severity")}::text, text = ${value("text")}::text,
      value = ${value("value")}::float8, threshold = ${value("threshold")}::float8
    where id = ${value("id")}::uuid and resolved_at is null returning ${columns}, quiet`,
);

/** It is still so, and this is how it is now. Null where it has been resolved. */
export async function keepAlert(database: Database, alert: Kept): Promise<SavedAlert | null> {
  return first(await keep(database, alert));
}

const speak = statement<{ id: string }, Written<SavedAlert>>(
  "end_quiet",
  sql`update alerts set quiet = false
    where id = ${value("id")}::uuid and quiet and resolved_at is null returning ${columns}, quiet`,
);

/** People are to be told now. Null where another node does it. */
export async function endQuiet(database: Database, id: string): Promise<SavedAlert | null> {
  return first(await speak(database, { id }));
}

const resolve = statement<{ id: string; seenAt: string; at: string }, Written<SavedAlert>>(
  "resolve_alert",
  sql`update alerts set resolved_at = greatest(opened_at, ${value("at")}::timestamptz)
    where id = ${value("id")}::uuid and resolved_at is null and seen_at = ${value("seenAt")}::timestamptz
    returning ${columns}, quiet`,
);

/** Null where somebody has resolved it, or has seen it since. */
export async function resolveAlert(
  database: Database,
  { id, seenAt, at }: { id: string; seenAt: Date; at: Date },
): Promise<SavedAlert | null> {
  return first(await resolve(database, { id, seenAt: seenAt.toISOString(), at: at.toISOString() }));
}

const page = statement<{ isOpen: boolean | null; before: string | null; limit: number }, Written<Alert>>(
  "list_alerts",
  sql`select ${columns} from alerts
    where (${value("isOpen")}::boolean is null or (resolved_at is null) = ${value("isOpen")}::boolean)
      and (${value("before")}::uuid is null or (opened_at, id) < (select opened_at, id from alerts where id = ${value("before")}::uuid))
    order by opened_at desc, id desc limit ${value("limit")}::int`,
);

export async function listAlerts(
  database: Database,
  asked: { isOpen: boolean | null; before: string | null; limit: number },
): Promise<Alert[]> {
  return (await page(database, asked)).map(toAlert);
}

const sweep = statement<{ before: string }, never>(
  "sweep_alerts",
  sql`with mine as (select pg_try_advisory_xact_lock(${sql.raw(advisoryLocks.alertsSweep)}) as mine)
    delete from alerts using mine where mine and resolved_at < ${value("before")}::timestamptz`,
);

/** One node at a time. */
export async function sweepAlerts(database: Database, before: Date): Promise<void> {
  await sweep(database, { before: before.toISOString() });
}

const operators = statement<Record<string, never>, { id: string }>(
  "operators",
  sql`select users.id from users join roles on roles.name = users.role
    where users.status = 'active' and roles.permissions && array['*', 'metrics.read']`,
);

/** Who is told of alerts. */
export async function findOperators(database: Database): Promise<string[]> {
  return (await operators(database, {})).map(({ id }) => id);
}

function first([row]: Written<SavedAlert>[]): SavedAlert | null {
  return row ? toSaved(row) : null;
}

const toSaved = (row: Written<SavedAlert>): SavedAlert => ({ ...toAlert(row), quiet: row.quiet });

function toAlert({
  id,
  rule,
  subject,
  severity,
  text,
  value,
  threshold,
  unit,
  openedAt,
  seenAt,
  resolvedAt,
}: Written<Alert>): Alert {
  const times = { openedAt: readInstant(openedAt), seenAt: readInstant(seenAt), resolvedAt: readInstantOrNull(resolvedAt) };
  return { id, rule, subject, severity, text, value, threshold, unit, ...times };
}
