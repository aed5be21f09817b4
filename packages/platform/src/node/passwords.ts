import { hash, verify } from "@node-rs/argon2";
import { AppError } from "@parley/core";
import type { Passwords } from "@parley/core/ports";

/** OWASP's choice; Algorithm.Argon2id is an enum that only exists as a type. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1, algorithm: 2 };

/** Hashing runs on the thread pool: more at a time than it has threads would only wait in there, out of our sight. */
export function argon2Passwords({ atOnce = 2, queueLimit = 200 } = {}): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running >= atOnce) {
      if (waiting.length >= queueLimit) throw new AppError("unavailable", "Too many sign-ins at once", { retryAfterMs: 2_000 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }

  return {
    hash: (password) => take(() => hash(password, parameters)),
    verify: (stored, password) => take(() => verify(stored, password)),
  };
}
