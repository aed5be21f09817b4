import { type AccessChanges, concerns } from "../access/changes.ts";
import { readInstant } from "../database/statement.ts";
import { AppError, toAppError } from "../errors.ts";
import type { KeyHolder, Keys } from "../keys/keys.ts";
import type { Ports } from "../ports.ts";
import { orEnded } from "../sessions/live-session.ts";
import { findLiveSession } from "../sessions/queries.ts";
import type { Actor } from "./actor.ts";
import type { createTokens } from "./tokens.ts";

export interface Authentication {
  readonly actor: Actor | null;
  readonly refusal: AppError | null;
}

interface Known {
  authentication: Authentication;
  expiresAt: number;
}

const maxKnown = 10_000;
/** A key has no expiry of its own that its holder can see: it is looked up again from time to time. */
const keyTrustMs = 60_000;

export type Gatekeeper = ReturnType<typeof createGatekeeper>;

/**
 * Who is calling, by token or key. What was checked once is remembered, so that a signed-in call costs no signature and no
 * round trip, until the feed of access changes says otherwise or cannot be read.
 */
export function createGatekeeper(
  { database, clock }: Pick<Ports, "database" | "clock">,
  { access, tokens, keys }: { access: AccessChanges; tokens: ReturnType<typeof createTokens>; keys: Keys },
) {
  /** Oldest first. */
  const known = new Map<string, Known>();
  let changes = 0;

  access.onChange((change) => {
    changes++;
    for (const [token, { authentication }] of known) {
      if (authentication.actor && concerns(change, authentication.actor)) known.delete(token);
    }
  });

  function remember(token: string, entry: Known) {
    const [oldest] = known.keys();
    if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
    known.set(token, entry);
  }

  async function check(token: string): Promise<Authentication> {
    try {
      const before = changes;
      // Before the first reading, what changes now will never be heard of.
      const hears = access.isFresh();
      const entry = token.startsWith("plk_") ? await checkKey(await keys.authenticate(token)) : await checkToken(token);
      // A change that came while the database was asked may be newer than its answer.
      if (hears && before === changes) remember(token, entry);
      return entry.authentication;
    } catch (error) {
      return refused(error);
    }
  }

  async function checkToken(token: string): Promise<Known> {
    const claims = await tokens.verify(token);
    const { authentication, expiresAt } = await checkSession(claims);
    return { authentication, expiresAt: Math.min(claims.expiresAt, expiresAt) };
  }

  async function checkSession({ userId, sessionId }: Pick<Actor, "userId" | "sessionId">): Promise<Known> {
    const session = orEnded(await findLiveSession(database, sessionId, clock.now().toISOString()));
    if (session.userId !== userId) throw new AppError("session_ended", "This session has ended");
    const { plan, budget, permissions } = session;
    const actor: Actor = { userId, sessionId, plan, budget, permissions, via: "session", scopes: null };
    return { authentication: { actor, refusal: null }, expiresAt: readInstant(session.expiresAt).getTime() };
  }

  async function checkKey(found: KeyHolder | null): Promise<Known> {
    if (!found) throw new AppError("unauthenticated", "This API key is not valid");
    const { keyId, userId, plan, budget, permissions, scopes, expiresAt } = found;
    const actor: Actor = { userId, sessionId: keyId, plan, budget, permissions, via: "key", scopes };
    const trustedUntil = clock.now().getTime() + keyTrustMs;
    return { authentication: { actor, refusal: null }, expiresAt: Math.min(trustedUntil, expiresAt?.getTime() ?? trustedUntil) };
  }

  return {
    /** For whoever was authenticated long ago, and still holds what was opened then: tokens expire, sessions and keys last. */
    async restore(caller: Pick<Actor, "userId" | "sessionId" | "via">): Promise<Authentication> {
      try {
        const known = caller.via === "key" ? checkKey(await keys.find(caller.sessionId)) : checkSession(caller);
        return (await known).authentication;
      } catch (error) {
        return refused(error);
      }
    },
    /** Not a promise for what was seen before. Never throws for what is wrong with the credentials. */
    authenticate(token: string): Authentication | Promise<Authentication> {
      const seen = known.get(token);
      if (!seen) return check(token);
      if (seen.expiresAt > clock.now().getTime() && access.isFresh()) return seen.authentication;
      known.delete(token);
      return check(token);
    },
  };
}

function refused(error: unknown): Authentication {
  const refusal = toAppError(error);
  if (!refusal) throw error;
  return { actor: null, refusal };
}
