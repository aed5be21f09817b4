import { randomBytes } from "node:crypto";
import { createMemory, createServices, type Origin, type Settings, usualRules } from "@parley/core";
import type { Ports } from "@parley/core/ports";
import { argon2Passwords, nodeBackground, nodeSystem } from "@parley/platform/node";
import { createIds, memoryCache, memoryEventLog, memoryRateLimiter, scopes } from "@parley/platform/shared";
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
  taskModel: "off",
  generation: {
    deadlines: { firstByteMs: 20_000, localFirstByteMs: 20_000, gapMs: 20_000, totalMs: 60_000 },
    retryMs: 20_000,
    taskMs: 15_000,
    requests: null,
    tokens: null,
  },
  budgets: {
    free: { tokens: null, micros: null },
    pro: { tokens: null, micros: null },
    enterprise: { tokens: null, micros: null },
  },
  metrics: { everyMs: 30_000, version: "0.0.0" },
  alerts: { rules: usualRules, retryMs: 1 },
  soleWriter: false,
  limits: { guest: null, user: null, signIn: null, passwordReset: null, chat: null, presence: null },
};

interface Given
  extends Partial<Pick<Ports, "tracer" | "cache" | "providers" | "eventLog" | "system" | "rateLimiter" | "channels">> {
  /** In place of the database's own. */
  dependencies?: Ports["dependencies"];
  node?: string;
  clock?: ReturnType<typeof testClock>;
}

/** The domain on real adapters and a given database, as one process has it. Several on one database are several nodes. */
export function testServices(
  { database, ping }: Pick<TestDatabase, "database"> & Partial<Pick<TestDatabase, "ping">>,
  {
    providers = [demoProvider({ wordMs: 0 })],
    eventLog: sharedLog,
    system,
    rateLimiter = memoryRateLimiter(),
    cache,
    dependencies,
    channels = [],
    tracer = null,
    node,
    clock = testClock(),
    ...changes
  }: Partial<Settings> & Given = {},
) {
  const log = collectingLog();
  const timers = nodeBackground(log);
  const rounds = new Map<string, () => Promise<void>>();
  const background = {
    ...timers,
    every(name: string, milliseconds: number, work: () => Promise<void>, options?: { atOnce?: boolean }) {
      rounds.set(name, work);
      timers.every(name, milliseconds, work, options);
    },
  };
  const eventLog = sharedLog ?? memoryEventLog(clock);
  const ids = createIds(clock);
  const ownSystem = nodeSystem({ node: node ?? `node-${ids.next()}`, dataFolder: null });
  const letters = collectingMailer();
  const ports = {
    database,
    eventLog,
    providers,
    passwords: argon2Passwords(),
    mailer: letters.mailer,
    rateLimiter,
    cache: cache ?? memoryCache(clock),
    background,
    clock,
    ids,
    log,
    scopes,
    system: system ?? ownSystem,
    dependencies: dependencies ?? (ping ? [{ name: "database" as const, isNeeded: true, ping }] : []),
    channels,
    tracer,
  };
  const services = createServices(ports, { ...settings, ...changes }, createMemory());

  return {
    ...services,
    ports,
    clock,
    log,
    letters,
    eventLog,
    background,
    /** Does now what this node does from time to time. */
    async round(name: string) {
      const work = rounds.get(name);
      if (!work) throw new Error(`Nothing repeats by the name of ${name}`);
      await work();
    },
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
      services.interrupt();
      background.stop();
      ownSystem.close();
      await background.settled();
    },
  };
}
