import { randomBytes } from "node:crypto";
import { createServices, type Origin, type Settings } from "@parley/core";
import type { Provider } from "@parley/core/ports";
import { argon2Passwords, nodeBackground } from "@parley/platform/node";
import { createIds, memoryCache, memoryEventLog, memoryRateLimiter } from "@parley/platform/shared";
import { demoProvider } from "@parley/providers/demo";
import { testClock } from "./clock.ts";
import type { TestDatabase } from "./databases.ts";
import { collectingLog } from "./logs.ts";
import { collectingMailer } from "./mailer.ts";

export const testOrigin: Origin = { address: "127.0.0.1", userAgent: null, isLocal: true };

const settings: Settings = {
  jwtSecrets: [`test-only-${randomBytes(24).toString("hex")}`],
  accessTokenTtlMs: 15 * 60_000,
  sessionTtlMs: 7 * 24 * 3_600_000,
  sessionMaxAgeMs: 30 * 24 * 3_600_000,
  maxSessions: 5,
  registration: "open",
  emailVerification: "off",
  publicUrl: "https://parley.example",
  messageMaxLength: 10_000,
  defaultModel: null,
  modelOverrides: [],
  fallbackModels: [],
  generation: {
    deadlines: { firstByteMs: 20_000, localFirstByteMs: 20_000, gapMs: 20_000, totalMs: 60_000 },
    retryMs: 20_000,
    requests: null,
    tokens: null,
  },
  budgets: {
    free: { tokens: null, micros: null },
    pro: { tokens: null, micros: null },
    enterprise: { tokens: null, micros: null },
  },
  soleWriter: false,
  limits: { guest: null, user: null, signIn: null, passwordReset: null, chat: null },
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
  const letters = collectingMailer();
  const ports = {
    database: database.database,
    eventLog,
    providers,
    passwords: argon2Passwords(),
    mailer: letters.mailer,
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
    ports,
    clock,
    log,
    letters,
    eventLog,
    background,
    /** Someone new, signed in. */
    async person() {
      const email = `person-${ids.next()}@example.com`;
      const password = "Correct-horse-1";
      const registered = await services.auth.register({ email, password }, testOrigin);
      if ("next" in registered) throw new Error("The account has to be verified first");
      const { tokens, user, session } = registered;
      const { actor } = await services.auth.authenticate(tokens.accessToken);
      if (!actor) throw new Error("The account cannot sign in");
      return { actor, user, session, email, password, tokens, accessToken: tokens.accessToken };
    },
    async stop() {
      services.chat.runs.interrupt();
      background.stop();
      await background.settled();
    },
  };
}
