import type { Login } from "@parley/contract";
import type { Audit } from "../audit/audit.ts";
import { AppError } from "../errors.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";
import { findKnownDevice } from "../sessions/queries.ts";
import type { Origin } from "./actor.ts";
import { fold, normalizePassword } from "./names.ts";
import { countFailure, findUserByKey, setPasswordHash, type UserRow } from "./queries.ts";

type SignInPorts = Pick<Ports, "database" | "passwords" | "clock" | "ids" | "rateLimiter">;

/** Failures by what was typed, known or not: they only make the next try slower. */
const failuresByName = { count: 1_000_000, windowMs: 15 * 60_000 };
const freeFailures = 3;
const slowerByMs = 100;
const slowestMs = 1_000;

/**
 * Checks a name and a password. A wrong pair is one answer, in one time: for a name that does not exist a hash is verified
 * too, and a lock is told only to whoever has the right password.
 */
export function createSignIn(ports: SignInPorts, { audit, meters }: { audit: Audit; meters: Meters }) {
  const { database, passwords, clock, rateLimiter } = ports;
  let decoy: string | undefined;

  async function verify(user: UserRow | null, password: string): Promise<boolean> {
    decoy ??= user?.passwordHash ?? (await passwords.hash(ports.ids.next()));
    const matches = await passwords.verify(user?.passwordHash ?? decoy, password);
    return user !== null && matches;
  }

  return async function signIn({ identifier, password: typed }: Login, origin: Origin): Promise<UserRow> {
    const name = fold(identifier);
    const password = normalizePassword(typed);
    const { remaining, limit } = await rateLimiter.consume("sign-in-name", name, failuresByName, 0);
    const failures = limit - remaining;
    if (failures >= freeFailures) await pause(Math.min(slowerByMs * (failures - freeFailures + 1), slowestMs));

    const user = await findUserByKey(database, name);
    if (!(await verify(user, password)) || !user) {
      meters.failedSignIns.add(1);
      await rateLimiter.consume("sign-in-name", name, failuresByName);
      const counted = await countFailure(database, user?.id ?? null, clock.now().toISOString());
      if (user && counted?.lockedUntil && new Date(counted.lockedUntil) > clock.now()) {
        const details = { failures: counted.failures };
        audit.refused(null, "account.lock", { target: `user:${user.id}`, address: origin.address, details });
      }
      throw new AppError("invalid_credentials", "The name or the password is wrong");
    }
    await refuseLocked(user, origin);
    if (failures > 0) await rateLimiter.reset("sign-in-name", name, failuresByName);
    if (user.status === "suspended") throw new AppError("account_disabled", "This account is suspended");
    if (!passwords.isOutdated(user.passwordHash)) return user;
    const passwordHash = await passwords.hash(password);
    await setPasswordHash(database, { id: user.id, passwordHash, before: user.passwordHash });
    return { ...user, passwordHash };
  };

  /** A device that this person is known by comes in all the same: a stranger's failures must not keep the owner out. */
  async function refuseLocked(user: UserRow, { address, userAgent }: Origin) {
    const retryAfterMs = (user.lockedUntil?.getTime() ?? 0) - clock.now().getTime();
    if (retryAfterMs <= 0 || (await findKnownDevice(database, { userId: user.id, ip: address, userAgent }))) return;
    throw new AppError("account_locked", "There were too many failed sign-ins: try again later, or reset the password", {
      retryAfterMs,
    });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
