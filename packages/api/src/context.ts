import { type Actor, AppError, type LimitState, type Origin, type Services } from "@parley/core";

/** Sets and reads a browser's cookies; what has none, such as a socket, has no jar. */
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
  readonly cookies: CookieJar | null;
  /** Told what the general limit says of each call; HTTP puts the last one into headers. */
  readonly noteLimit: ((state: LimitState) => void) | null;
}

/** What is known of a caller before the credentials have been looked at. */
export interface Caller extends Origin {
  readonly token: string | null;
}

/** Never throws for bad credentials: the context then carries the refusal, and the guards throw it. */
export async function createContext(
  services: Services,
  caller: Caller,
  transport: Pick<Context, "requestId" | "cookies" | "noteLimit">,
): Promise<Context> {
  const { token, ...origin } = caller;
  const { actor, refusal } = token === null ? guest : await services.auth.authenticate(token);
  return { services, actor, refusal, origin, ...transport };
}

const guest = { actor: null, refusal: null };

/** For what only a browser over HTTP can be given. */
export function requireCookies({ cookies }: Context): CookieJar {
  if (cookies) return cookies;
  throw new AppError("invalid_input", "Cookies are set over HTTP only: call this without a socket, or without cookies");
}
