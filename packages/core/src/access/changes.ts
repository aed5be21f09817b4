import { sql } from "drizzle-orm";
import { statement, value } from "../database/statement.ts";
import type { Ports } from "../ports.ts";

export type AccessChange =
  | { kind: "session_ended"; userId: string; sessionId: string }
  | { kind: "rights_changed"; userId: string }
  | { kind: "membership_ended"; userId: string; conversationId: string }
  /** Nobody loses anything: what is remembered of the person is old. */
  | { kind: "profile_changed"; userId: string };

export type AccessChanges = ReturnType<typeof createAccessChanges>;

const readEveryMs = 1_000;
/** Without having read for this long, a node trusts nothing that it remembers. */
const staleMs = 3_000;
const sweepMs = 60 * 60_000;
const keepMs = 24 * 60 * 60_000;

/**
 * How an ended session and a lost right reach every node: whoever makes the change writes a row in the same transaction,
 * and each node reads the new rows every second. The node that made the change hears of it at once.
 */
export function createAccessChanges({ database, background, clock }: Pick<Ports, "database" | "background" | "clock">) {
  const listeners = new Set<(change: AccessChange) => void>();
  /** Transactions before this one were seen, whole. */
  let floor: string | null = null;
  /** What was applied of the transactions after it, so that it is applied once. */
  let applied = new Set<number>();
  let readAt = Number.NEGATIVE_INFINITY;

  function apply(change: AccessChange) {
    for (const listener of listeners) listener(change);
  }

  async function readNew() {
    const startedAt = clock.now().getTime();
    const [read] = await recent(database, { floor });
    if (!read) return;
    for (const { id, ...row } of read.changes) {
      const change = applied.has(id) ? null : toChange(row);
      if (change) apply(change);
    }
    applied = new Set(read.changes.map(({ id }) => id));
    floor = read.floor;
    readAt = startedAt;
  }

  background.every("read access changes", readEveryMs, readNew, { atOnce: true });
  background.every("sweep access changes", sweepMs, async () => {
    await sweep(database, { keepMs });
  });

  return {
    /** For this process, at once. The row in the database is the caller's to write. */
    apply,
    onChange(listener: (change: AccessChange) => void) {
      listeners.add(listener);
    },
    /** Ends with the signal that is given, and when the caller's session or rights do. */
    until(caller: { userId: string; sessionId: string } | null, signal: AbortSignal): AbortSignal {
      if (!caller) return signal;
      const controller = new AbortController();
      const listener = (change: AccessChange) => {
        if (concerns(change, caller)) controller.abort();
      };
      listeners.add(listener);
      signal.addEventListener("abort", () => controller.abort(), { once: true });
      controller.signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
      if (signal.aborted) controller.abort();
      return controller.signal;
    },
    /** Here too for who has this at hand and does not load the domain. */
    concerns,
    /** Where the next reading begins; null before the first. */
    position: () => floor,
    /** Before the first reading, for whoever goes on where another has left off: what was read twice is heard twice. */
    goOnFrom(position: string) {
      floor = position;
    },
    /** What is remembered of sessions and rights may be trusted. */
    isFresh: () => clock.now().getTime() - readAt < staleMs,
  };
}

/** What this caller may do has to be found out anew. */
export function concerns(change: AccessChange, caller: { userId: string; sessionId: string }): boolean {
  switch (change.kind) {
    case "session_ended":
      return change.sessionId === caller.sessionId;
    case "rights_changed":
      return change.userId === caller.userId;
    case "membership_ended":
    case "profile_changed":
      return false;
  }
}

function toChange({ kind, userId, sessionId, conversationId }: Omit<Row, "id">): AccessChange | null {
  switch (kind) {
    case "session_ended":
      return sessionId === null ? null : { kind, userId, sessionId };
    case "membership_ended":
      return conversationId === null ? null : { kind, userId, conversationId };
    case "rights_changed":
    case "profile_changed":
      return { kind, userId };
  }
}

interface Row {
  id: number;
  kind: AccessChange["kind"];
  userId: string;
  sessionId: string | null;
  conversationId: string | null;
}

interface Read {
  floor: string;
  changes: Row[];
}

const recent = statement<{ floor: string | null }, Read>(
  "recent_access_changes",
  // The oldest transaction that is still under way is where the next reading begins.
  sql`select now_at.floor, coalesce((
      select json_agg(json_build_object('id', id, 'kind', kind, 'userId', user_id, 'sessionId', session_id,
        'conversationId', conversation_id) order by id)
      from access_changes where transaction >= coalesce(${value("floor")}::bigint, now_at.floor::bigint)), '[]') as changes
    from (select pg_snapshot_xmin(pg_current_snapshot())::text as floor) as now_at`,
);

const sweep = statement<{ keepMs: number }, never>(
  "sweep_access_changes",
  sql`delete from access_changes where created_at < now() - make_interval(secs => ${value("keepMs")}::int / 1000.0)`,
);
