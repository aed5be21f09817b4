import { randomBytes } from "node:crypto";
import { createServices, type Settings } from "@parley/core";
import type { Provider } from "@parley/core/ports";
import { argon2Passwords, nodeBackground } from "@parley/platform/node";
import { createIds, memoryCache, memoryEventLog, memoryRateLimiter } from "@parley/platform/shared";
import { demoProvider } from "@parley/providers/demo";
import { testClock } from "./clock.ts";
import type { TestDatabase } from "./databases.ts";
import { collectingLog } from "./logs.ts";

const settings: Settings = {
  jwtSecrets: [`test-only-${randomBytes(24).toString("hex")}`],
  accessTokenTtlMs: 15 * 60_000,
  sessionTtlMs: 7 * 24 * 3_600_000,
  messageMaxLength: 10_000,
  defaultModel: null,
  soleWriter: false,
  limits: { guest: null, user: null, signIn: null, chat: null },
};

/** The domain on real adapters and a given database, as one process has it. Several on one database are several nodes. */
export function testServices(
  database: TestDatabase,
  { providers = [demoProvider({ wordMs: 0 })], ...changes }: Partial<Settings> & { providers?: Provider[] } = {},
) {
  const clock = testClock();
  const log = collectingLog();
  const background = nodeBackground(log);
  const eventLog = memoryEventLog(clock);
  const ids = createIds(clock);
  const ports = {
    database: database.database,
    eventLog,
    providers,
    passwords: argon2Passwords(),
    rateLimiter: memoryRateLimiter(),
    cache: memoryCache(clock),
    background,
    clock,
    ids,
    log,
  };
  const services = createServices(ports, { ...settings, ...changes });

  return {
    ...services,
    clock,
    log,
    eventLog,
    background,
    /** Someone new, signed in. */
    async person() {
      const email = `person-${ids.next()}@example.com`;
      const password = "Correct-horse-1";
      const origin = { address: "127.0.0.1", userAgent: null };
      const { tokens, user } = await services.auth.register({ email, password }, origin);
      const { actor } = await services.auth.authenticate(tokens.accessToken);
      if (!actor) throw new Error("The account cannot sign in");
      return { actor, user, email, password, accessToken: tokens.accessToken };
    },
    async stop() {
      services.chat.runs.interrupt();
      background.stop();
      await background.settled();
    },
  };
}
