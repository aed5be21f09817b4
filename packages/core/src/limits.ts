import { sql } from "drizzle-orm";
import type { Actor } from "./auth/actor.ts";
import { statement, value } from "./database/statement.ts";
import { AppError } from "./errors.ts";
import type { Limit, LimitState, Ports } from "./ports.ts";
import type { Settings } from "./settings.ts";

export type Limits = ReturnType<typeof createLimits>;

/** One line a minute says that a caller is being refused; a thousand say no more. */
const oneRefusalLogged = { count: 1, windowMs: 60_000 };
const keepRefusalsDays = 30;
const sweepMs = 6 * 60 * 60_000;

/** Counts calls, not requests: each call of a batch and each message of a socket. */
export function createLimits(
  { rateLimiter, database, background, ids }: Pick<Ports, "rateLimiter" | "database" | "background" | "ids">,
  { limits }: Settings,
) {
  /** Sign-ins from one address, one after the other. */
  const lanes = new Map<string, Promise<unknown>>();

  background.every("sweep limit refusals", sweepMs, async () => {
    await sweep(database, { days: keepRefusalsDays });
  });

  async function take(bucket: string, key: string, limit: Limit | null): Promise<LimitState | null> {
    if (!limit) return null;
    const state = await rateLimiter.consume(bucket, key, limit);
    if (!state.allowed) noteRefusal(bucket, key);
    return state;
  }

  async function takeOrRefuse(bucket: string, key: string, limit: Limit | null): Promise<void> {
    const state = await take(bucket, key, limit);
    if (state && !state.allowed) throw tooMany(state);
  }

  function noteRefusal(bucket: string, key: string) {
    background.run("note a refusal", async () => {
      const { allowed } = await rateLimiter.consume("refusal-log", `${bucket}:${key}`, oneRefusalLogged);
      if (allowed) await insert(database, { id: ids.next(), bucket, key });
    });
  }

  /** In turn: otherwise sign-ins that are all about to succeed could use up each other's tries. */
  function inLane<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const mine = (lanes.get(key) ?? Promise.resolve()).then(work, work);
    const settled = mine
      .catch(() => {})
      .then(() => {
        if (lanes.get(key) === settled) lanes.delete(key);
      });
    lanes.set(key, settled);
    return mine;
  }

  return {
    /** Null where nothing is counted, so that a call need not wait. The caller refuses what is not allowed. */
    general(actor: Actor | null, address: string): Promise<LimitState | null> | null {
      const limit = actor ? limits.user : limits.guest;
      return limit && take("general", actor?.userId ?? address, limit);
    },
    chat: (actor: Actor) => takeOrRefuse("chat", actor.userId, limits.chat),
    /** Of what passes there is much: it uses up nothing else. */
    presence: (actor: Actor) => takeOrRefuse("presence", actor.userId, limits.presence),
    passwordReset: (address: string) => takeOrRefuse("password-reset", address, limits.passwordReset),
    /** Wrong credentials only: whatever else happens gives the try back. */
    async signIn<Result>(address: string, attempt: () => Promise<Result>): Promise<Result> {
      const limit = limits.signIn;
      if (!limit) return attempt();
      return inLane(address, async () => {
        await takeOrRefuse("sign-in", address, limit);
        try {
          const result = await attempt();
          await rateLimiter.refund("sign-in", address, limit);
          return result;
        } catch (error) {
          const isFailure = error instanceof AppError && error.reason === "invalid_credentials";
          if (!isFailure) await rateLimiter.refund("sign-in", address, limit);
          throw error;
        }
      });
    },
  };
}

export function tooMany({ resetMs }: LimitState): AppError {
  return new AppError("rate_limited", "Too many requests: try again later", { retryAfterMs: resetMs });
}

const insert = statement<Record<string, unknown>, never>(
  "insert_refusal",
  sql`insert into limit_refusals (id, bucket, key) values (${value("id")}::uuid, ${value("bucket")}, ${value("key")})`,
);

const sweep = statement<{ days: number }, never>(
  "sweep_refusals",
  sql`delete from limit_refusals where created_at < now() - make_interval(days => ${value("days")}::int)`,
);
