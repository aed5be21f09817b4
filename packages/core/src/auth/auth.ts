import type { Login, Me, Register, SignedIn, User } from "@parley/contract";
import type { users } from "../database/schema.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import type { Actor } from "./actor.ts";
import { findLiveSession, findUser, findUserByKey, insertSession, insertUser, isUsernameTaken } from "./queries.ts";
import { createTokens } from "./tokens.ts";

type AuthPorts = Pick<Ports, "database" | "passwords" | "clock" | "ids" | "cache">;

/** Where a sign-in comes from. */
export interface Origin {
  address: string;
  userAgent: string | null;
}

export interface Authentication {
  readonly actor: Actor | null;
  readonly refusal: AppError | null;
}

const userCacheMs = 60 * 60_000;
const maxKnownTokens = 10_000;

export function createAuth(ports: AuthPorts, settings: Settings) {
  const { database, passwords, clock, ids, cache } = ports;
  const tokens = createTokens(ports, settings.jwtSecrets, settings.accessTokenTtlMs);
  /** Verified tokens, oldest first: a signature is checked once a token, not once a call. */
  const known = new Map<string, { authentication: Authentication; expiresAt: number }>();

  async function openSession(user: typeof users.$inferSelect, deviceName: string | undefined, origin: Origin): Promise<SignedIn> {
    const createdAt = clock.now();
    const session = {
      id: ids.next(),
      device: { name: deviceName ?? null, userAgent: origin.userAgent },
      ip: origin.address,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + settings.sessionTtlMs),
    };
    await insertSession(database, {
      id: session.id,
      userId: user.id,
      deviceName: session.device.name,
      userAgent: session.device.userAgent,
      ip: session.ip,
      createdAt: createdAt.toISOString(),
      expiresAt: session.expiresAt.toISOString(),
    });
    const issued = await tokens.issue(user.id, session.id);
    return { user: publicUser(user), session, tokens: { ...issued, tokenType: "Bearer" } };
  }

  async function verify(token: string): Promise<Authentication> {
    try {
      const claims = await tokens.verify(token);
      const session = await findLiveSession(database, claims.sessionId, clock.now());
      if (!session || session.userId !== claims.userId) throw new AppError("session_ended", "This session has ended");
      const { userId, plan, permissions } = session;
      const authentication = { actor: { userId, sessionId: claims.sessionId, plan, permissions }, refusal: null };
      remember(token, authentication, Math.min(claims.expiresAt, session.expiresAt.getTime()));
      return authentication;
    } catch (error) {
      const refusal = toAppError(error);
      if (!refusal) throw error;
      return { actor: null, refusal };
    }
  }

  function remember(token: string, authentication: Authentication, expiresAt: number) {
    if (known.size >= maxKnownTokens) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    known.set(token, { authentication, expiresAt });
  }

  return {
    async register(input: Register, origin: Origin): Promise<SignedIn> {
      const usernameKey = input.username === undefined ? null : fold(input.username);
      const user = {
        id: ids.next(),
        email: input.email,
        emailKey: fold(input.email),
        username: input.username ?? null,
        usernameKey,
        displayName: input.displayName ?? input.username ?? input.email.slice(0, input.email.indexOf("@")),
        passwordHash: await passwords.hash(normalizePassword(input.password)),
        role: "user",
        plan: "free" as const,
        createdAt: clock.now(),
        lastLoginAt: null,
      };
      if (!(await insertUser(database, { ...user, createdAt: user.createdAt.toISOString() }))) {
        if (usernameKey !== null && (await isUsernameTaken(database, usernameKey))) {
          throw new AppError("username_taken", "This username is taken");
        }
        throw new AppError("email_taken", "There is an account with this e-mail address");
      }
      return openSession(user, input.device?.name, origin);
    },

    async login(input: Login, origin: Origin): Promise<SignedIn> {
      const user = await findUserByKey(database, fold(input.identifier));
      const password = normalizePassword(input.password);
      // A hash is checked for unknown names too: the time must not tell which exist.
      const matches = await passwords.verify(user?.passwordHash ?? (await decoyHash()), password);
      if (!user || !matches) throw new AppError("invalid_credentials", "The name or the password is wrong");
      return openSession(user, input.device?.name, origin);
    },

    async me(actor: Actor): Promise<Me> {
      const key = `user:${actor.userId}`;
      let user = await cache.get<User>(key);
      if (!user) {
        const row = await findUser(database, actor.userId);
        if (!row) throw new AppError("session_ended", "This account no longer exists");
        user = publicUser(row);
        await cache.set(key, user, userCacheMs);
      }
      return { user, session: { id: actor.sessionId } };
    },

    /** A token's actor, or why it is refused. Not a promise for a token that was seen before. */
    authenticate(token: string): Authentication | Promise<Authentication> {
      const seen = known.get(token);
      if (!seen) return verify(token);
      if (seen.expiresAt > clock.now().getTime()) return seen.authentication;
      known.delete(token);
      return verify(token);
    },
  };

  async function decoyHash() {
    const key = "auth:decoy-hash";
    const kept = await cache.get<string>(key);
    if (kept) return kept;
    const hash = await passwords.hash(ids.next());
    await cache.set(key, hash, userCacheMs);
    return hash;
  }
}

export type Auth = ReturnType<typeof createAuth>;

/** One spelling for names that people would take for the same. */
function fold(name: string) {
  return name.normalize("NFKC").toLowerCase();
}

/** The same keys give other code points on other systems. */
function normalizePassword(password: string) {
  return password.normalize("NFKC");
}

function publicUser(row: typeof users.$inferSelect): User {
  const { id, email, username, displayName, role, plan, createdAt } = row;
  return { id, email, username, displayName, role, plan, createdAt };
}
