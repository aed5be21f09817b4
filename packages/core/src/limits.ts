import type { Actor } from "./auth/actor.ts";
import { AppError } from "./errors.ts";
import type { Limit, RateLimiter } from "./ports.ts";
import type { Settings } from "./settings.ts";

export type Limits = ReturnType<typeof createLimits>;

/** Counts calls, not requests: each call of a batch and each message of a socket. */
export function createLimits({ rateLimiter }: { rateLimiter: RateLimiter }, { limits }: Settings) {
  async function take(bucket: string, key: string, limit: Limit | null) {
    if (!limit) return;
    const state = await rateLimiter.consume(bucket, key, limit);
    if (!state.allowed) throw new AppError("rate_limited", "Too many requests: try again later", { retryAfterMs: state.resetMs });
  }

  return {
    /** Undefined where nothing is counted, so that a call need not wait. */
    general(actor: Actor | null, address: string): Promise<void> | undefined {
      const limit = actor ? limits.user : limits.guest;
      return limit ? take("general", actor?.userId ?? address, limit) : undefined;
    },
    chat: (actor: Actor) => take("chat", actor.userId, limits.chat),
    passwordReset: (address: string) => take("password-reset", address, limits.passwordReset),
    /** Failures only: a success gives its point back. */
    async signIn<Result>(address: string, attempt: () => Promise<Result>): Promise<Result> {
      await take("sign-in", address, limits.signIn);
      const result = await attempt();
      if (limits.signIn) await rateLimiter.refund("sign-in", address, limits.signIn);
      return result;
    },
  };
}
