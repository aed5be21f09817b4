import { AppError } from "@parley/core";
import { clientAddress, createTrust, limitKey, remembered } from "./address.ts";
import { notFound } from "./answer.ts";
import { type Exchange, type HeaderReader, isFromThisMachine, type RequestHead } from "./exchange.ts";
import { createHostList, createOriginList, hostOf, isLocalName } from "./lists.ts";
import type { GateOptions } from "./options.ts";

const requestIdFormat = /^[\w.-]{8,128}$/;

export interface Gate {
  /** Never refuses: what is refused needs an answer, with the headers that follow from this. */
  open(head: RequestHead, peer: string): Exchange;
  /** Throws for an address or a host that is not served here. */
  checkTarget(exchange: Exchange): void;
  /** Where to go instead, null when the request may stay; throws for one that cannot be sent elsewhere. */
  httpsLocation(exchange: Exchange): string | null;
}

export function createGate(options: GateOptions): Gate {
  const { now } = options;
  const trusts = createTrust(options.trustedProxies);
  const countedAs = remembered(limitKey);
  const isServed = createHostList(options.allowedHosts, options.publicUrl);
  const siteOf = createOriginList(options.corsOrigins, options.publicUrl);
  const mustBeSecure = options.requireHttps && options.environment === "production";
  const secureHost = options.publicUrl?.startsWith("https://") ? hostOf(options.publicUrl) : null;

  // Where a proxy stands before this server, strangers come from this machine too.
  const isReachedDirectly = trusts === null && (options.publicUrl === null || isLocalName(hostOf(options.publicUrl)));

  return {
    open({ method, url, headers }, peer) {
      const startedAt = now();
      const hostStart = url.indexOf("://") + 3;
      const pathStart = indexOrEnd(url, "/", hostStart);
      const queryStart = indexOrEnd(url, "?", pathStart);
      const isTrusted = trusts?.(peer) === "trusted";
      const host = (isTrusted && lastEntry(headers, "x-forwarded-host")) || url.slice(hostStart, pathStart);
      const scheme = (isTrusted && lastEntry(headers, "x-forwarded-proto")) || url.slice(0, hostStart - 3);
      const secure = scheme === "https" || scheme === "wss";
      const origin = headers.get("origin");
      return {
        requestId: (isTrusted && givenRequestId(headers)) || options.requestId(),
        method,
        path: url.slice(pathStart, queryStart),
        search: url.slice(queryStart + 1),
        headers,
        address: countedAs(isTrusted && trusts ? clientAddress(peer, headers, trusts) : peer),
        isLocal: isReachedDirectly && isFromThisMachine(peer, headers),
        host,
        secure,
        origin,
        site: origin === null ? "absent" : siteOf(origin, host, secure),
        startedAt,
        setCookies: [],
        limit: null,
        isTold: false,
      };
    },
    checkTarget({ path, host }) {
      // A guard or a proxy's rule on /admin does not see //admin, while some routers do.
      if (path.includes("//")) throw notFound();
      if (!isServed(host)) throw new AppError("host_not_allowed", "This server is not reached by that name (ALLOWED_HOSTS)");
    },
    httpsLocation({ secure, method, host, path, search }) {
      if (secure || !mustBeSecure) return null;
      if (method !== "GET" && method !== "HEAD") throw new AppError("forbidden", "Use HTTPS");
      return `https://${secureHost ?? host}${path}${search === "" ? "" : `?${search}`}`;
    },
  };
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}

/** The entry of the nearest proxy: the others may be the client's own. */
function lastEntry(headers: HeaderReader, name: string): string {
  const value = headers.get(name);
  return value === null
    ? ""
    : value
        .slice(value.lastIndexOf(",") + 1)
        .trim()
        .toLowerCase();
}

function givenRequestId(headers: HeaderReader): string {
  const given = headers.get("x-request-id");
  return given !== null && requestIdFormat.test(given) ? given : "";
}
