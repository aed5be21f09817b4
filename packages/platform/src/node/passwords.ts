import { hash, verify } from "@node-rs/argon2";
import { AppError } from "@parley/core";
import type { Passwords } from "@parley/core/ports";

/** OWASP's choice; Algorithm.Argon2id is an enum that only exists as a type. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1, algorithm: 2 };

const { memoryCost, timeCost, parallelism } = parameters;
const currentHead = `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;

/** Hashes of users who came from elsewhere. */
const isBcrypt = (stored: string) => /^\$2[abxy]?\$/.test(stored);

async function verifyBcrypt(stored: string, password: string): Promise<boolean> {
  const { compare } = await import("@node-rs/bcrypt");
  return compare(password, stored.replace(/^\$2[xy]?\$/, "$2b$$"));
}

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
    verify: (stored, password) => take(() => (isBcrypt(stored) ? verifyBcrypt(stored, password) : verify(stored, password))),
    isOutdated: (stored) => !stored.startsWith(currentHead),
  };
}
