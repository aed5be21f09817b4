import type { Actor, AppError, Services } from "@parley/core";

/** What every procedure is called with, whatever the transport. */
export interface Context {
  readonly services: Services;
  readonly requestId: string;
  /** Null for a guest. */
  readonly actor: Actor | null;
  /** Why the credentials that were given are not accepted. Guards throw it; nothing before them does. */
  readonly refusal: AppError | null;
  /** The caller's address as limits count it. */
  readonly address: string;
  readonly userAgent: string | null;
}

/** What is known of a caller before the credentials have been looked at. */
export interface Caller {
  /** As limits count it: an IPv6 address is its /64. */
  readonly address: string;
  readonly userAgent: string | null;
  readonly token: string | null;
}

/** Never throws for bad credentials: the context then carries the refusal, and the guards throw it. */
export async function createContext(services: Services, caller: Caller, requestId: string): Promise<Context> {
  const { address, userAgent, token } = caller;
  const { actor, refusal } = token === null ? guest : await services.auth.authenticate(token);
  return { services, requestId, actor, refusal, address, userAgent };
}

const guest = { actor: null, refusal: null };
