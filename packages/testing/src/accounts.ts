import type { AccessChange, Actor, Settings } from "@parley/core";
import { schema } from "@parley/core/database";
import { type DatabaseKind, openTestDatabase } from "./databases.ts";
import { testServices } from "./services.ts";

const password = "Correct-horse-1";
const permissions: Record<string, string[]> = { user: [], operator: ["metrics.read"], admin: ["*"] };
const { sessions, users } = schema;

export type TestAccounts = Awaited<ReturnType<typeof testAccounts>>;

/** One process on a database of its own, and people who are simply there: for what lies beside signing in. */
export async function testAccounts(kind: DatabaseKind, settings: Partial<Settings> = {}) {
  const opened = await openTestDatabase(kind);
  const node = testServices(opened, settings);
  const { database, clock, ids, background, passwords } = node.ports;
  const passwordHash = passwords.hash(password);
  // Nothing repeats: what a test finds applied, its own calls have applied.
  background.stop();
  const applied: AccessChange[] = [];
  node.access.onChange((change) => applied.push(change));

  return {
    ...node,
    database,
    ids,
    /** The changes of access that this process has heard of; a test may empty it. */
    applied,
    /** What every other process will read of somebody. */
    told: (userId: string) =>
      database.query.accessChanges.findMany({ where: (row, { eq }) => eq(row.userId, userId), orderBy: (row) => row.id }),
    /** What the audit log has of what somebody did. */
    async audited(actorId: string) {
      await background.settled();
      return database.query.auditLog.findMany({ where: (row, { eq }) => eq(row.actorId, actorId), orderBy: (row) => row.id });
    },
    async person(given: Partial<typeof users.$inferInsert> = {}) {
      const id = ids.next();
      const email = `person-${id}@example.com`;
      const role = given.role ?? "user";
      const row = { id, email, emailKey: email, displayName: "Person", passwordHash: await passwordHash, role, ...given };
      await database.insert(users).values(row);
      const sessionId = ids.next();
      const expiresAt = new Date(clock.now().getTime() + 3_600_000);
      await database.insert(sessions).values({ id: sessionId, userId: id, userAgent: "a browser", ip: "127.0.0.1", expiresAt });
      const rights = { permissions: permissions[role] ?? [], plan: "free", budget: { tokens: null, micros: null } } as const;
      const actor: Actor = { userId: id, sessionId, via: "session", scopes: null, ...rights };
      return { id, email, password, sessionId, actor };
    },
    async stop() {
      await node.stop();
      await opened.close();
    },
  };
}
