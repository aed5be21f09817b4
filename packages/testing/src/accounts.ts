import type { Actor } from "@parley/core";
import { schema } from "@parley/core/database";
import { argon2Passwords, nodeBackground } from "@parley/platform/node";
import { createIds, memoryCache } from "@parley/platform/shared";
import { testClock } from "./clock.ts";
import type { TestDatabase } from "./databases.ts";
import { collectingLog } from "./logs.ts";

const password = "Correct-horse-1";
const permissions: Record<string, string[]> = { user: [], operator: ["metrics.read"], admin: ["*"] };

/** The ports that accounts need, of one process, and people who are simply there: for what lies beside signing in. */
export function testAccounts({ database }: TestDatabase) {
  const clock = testClock();
  const log = collectingLog();
  const background = nodeBackground(log);
  const ids = createIds(clock);
  const ports = { database, clock, ids, log, background, passwords: argon2Passwords(), cache: memoryCache(clock) };
  const passwordHash = ports.passwords.hash(password);

  return {
    ...ports,
    ports,
    async person(given: Partial<typeof schema.users.$inferInsert> = {}) {
      const id = ids.next();
      const email = `person-${id}@example.com`;
      const role = given.role ?? "user";
      const row = { id, email, emailKey: email, displayName: "Person", passwordHash: await passwordHash, role, ...given };
      await database.insert(schema.users).values(row);
      const sessionId = ids.next();
      const expiresAt = new Date(clock.now().getTime() + 3_600_000);
      await database
        .insert(schema.sessions)
        .values({ id: sessionId, userId: id, userAgent: "a browser", ip: "127.0.0.1", expiresAt });
      const rights = { permissions: permissions[role] ?? [], plan: "free", budget: { tokens: null, micros: null } } as const;
      const actor: Actor = { userId: id, sessionId, via: "session", scopes: null, ...rights };
      return { id, email, password, sessionId, actor };
    },
    async stop() {
      background.stop();
      await background.settled();
    },
  };
}
