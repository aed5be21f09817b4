import { type Actor, AppError, type LimitState, type Origin, type Services } from "@parley/core";

/** How an answer goes back, as far as procedures have a say in it. */
export interface Transport {
  readonly requestId: string;
  readonly name: "http" | "websocket";
  /** The caller's W3C `traceparent`, as it came. */
  readonly traceparent: string | null;
  /** Null where there are none, as on a socket. */
  readonly cookies: CookieJar | null;
  /** Told what the general limit says of each call; HTTP puts the last one into headers. */
  noteLimit(state: LimitState): void;
  /** A procedure was called: that is told by a line of its own. */
  noteCall(): void;
}

/** Sets and reads a browser's cookies. */
export interface CookieJar {
  readonly refreshToken: string | null;
  keep(tokens: { accessToken: string; refreshToken: string; expiresIn: number }, refreshExpiresIn: number): void;
  clear(): void;
}

/** What every procedure is called with, whatever the transport. */
export interface Context {
  readonly services: Services;
  readonly requestId: string;
  /** Null for a guest. */
  readonly actor: Actor | null;
  /** Why the credentials that were given are not accepted. Guards throw it; nothing before them does. */
  readonly refusal: AppError | null;
  readonly origin: Origin;
  readonly transport: Transport;
  /** It was counted when it began, and goes on. */
  readonly isResumed?: boolean;
}

/** What is known of a caller before the credentials have been looked at. */
export interface Caller {
  readonly origin: Origin;
  readonly token: string | null;
}

/** Never throws for bad credentials: the context then carries the refusal, and the guards throw it. */
export async function createContext(services: Services, caller: Caller, transport: Transport): Promise<Context> {
  const { token, origin } = caller;
  const { actor, refusal } = token === null ? guest : await services.auth.authenticate(token);
  return { services, requestId: transport.requestId, actor, refusal, origin, transport };
}

/** Whose a socket is, as it can be kept while nobody holds the socket. */
export interface KeptCaller {
  readonly origin: Origin;
  /** Null for a guest, and for whoever was refused. */
  readonly actor: Pick<Actor, "userId" | "sessionId" | "via"> | null;
  readonly refusal: Pick<AppError, "reason" | "message"> | null;
}

export function keptCaller({ origin, actor, refusal }: Pick<Context, "origin" | "actor" | "refusal">): KeptCaller {
  return {
    origin,
    actor: actor && { userId: actor.userId, sessionId: actor.sessionId, via: actor.via },
    refusal: refusal && { reason: refusal.reason, message: refusal.message },
  };
}

/** Whether session and rights still stand is asked anew; the token, which has expired since then, is not. */
export async function restoreContext(services: Services, kept: KeptCaller, transport: Transport): Promise<Context> {
  const refused = kept.refusal && new AppError(kept.refusal.reason, kept.refusal.message);
  const { actor, refusal } = kept.actor ? await services.auth.restore(kept.actor) : { actor: null, refusal: refused };
  return { services, requestId: transport.requestId, actor, refusal, origin: kept.origin, transport };
}

const guest = { actor: null, refusal: null };

/** For what only a browser over HTTP can be given. */
export function requireCookies({ transport: { cookies } }: Context): CookieJar {
  if (cookies) return cookies;
  throw new AppError("invalid_input", "Cookies are set over HTTP only: call this without a socket, or without cookies");
}
