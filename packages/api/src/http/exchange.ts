import type { LimitState, Origin } from "@parley/core";

/** Of `Headers`, all that is needed: an upgrade brings a plain record. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** A request's head, before anything was decided about it. `url` is absolute. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderReader;
}

/**
 * Where a browser says that a request comes from: our own pages, an origin of the list, another one (`any` when every
 * origin may read answers), or nothing said.
 */
export type Site = "own" | "listed" | "any" | "foreign" | "absent";

/** One request and what is true of it: proxies have been seen through, nothing has been allowed yet. */
export interface Exchange {
  readonly requestId: string;
  readonly method: string;
  /** As sent: percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly search: string;
  readonly headers: HeaderReader;
  /** The client's address as limits count it. */
  readonly address: string;
  /** Made on this machine, as far as can be told: where a proxy is known to stand before the server, nothing is. */
  readonly isLocal: boolean;
  readonly host: string;
  /** The client came over TLS, to us or to a proxy that we trust. */
  readonly secure: boolean;
  readonly origin: string | null;
  readonly site: Site;
  readonly startedAt: number;
  /** Whole `set-cookie` values for the answer. */
  readonly setCookies: string[];
  /** What the general limit said of the last call. */
  limit: LimitState | null;
  /** A procedure was called, and the log has a line of it. */
  isTold: boolean;
}

const loopback = /^(?:127\.|::1$|::ffff:127\.)/;
const proxyHeaders = ["x-forwarded-for", "x-real-ip", "forwarded", "via"];

/** A proxy on this machine has the machine's own address; most say that they stand for somebody else, but not all. */
export function isFromThisMachine(peer: string, headers: HeaderReader): boolean {
  return loopback.test(peer) && proxyHeaders.every((name) => headers.get(name) === null);
}

export function originOf({ address, isLocal, headers }: Exchange): Origin {
  return { address, userAgent: headers.get("user-agent"), isLocal };
}
