import { AppError } from "@parley/core";
import type { Exchange } from "./exchange.ts";

/**
 * What shows that a request with a cookie was meant by our own pages, besides its origin: the header `x-parley: 1`, which
 * no form and no foreign page can send; `origin` alone for an upgrade and for the plain GET of a file, which cannot carry it.
 */
export type CookieProof = "header" | "origin";
export type CookieName = "access" | "refresh";

/** Null for a guest. Throws `origin_not_allowed` when a foreign page makes the browser send its cookie. */
export function readToken(exchange: Exchange, proof: CookieProof): string | null {
  const authorization = exchange.headers.get("authorization");
  if (authorization !== null && /^bearer(?: |$)/i.test(authorization)) return authorization.slice(7).trim();
  return exchange.headers.get("x-api-key") ?? readTokenCookie(exchange, "access", proof);
}

/** Null also for a cookie that does not count. */
export function readTokenCookie(exchange: Exchange, name: CookieName, proof: CookieProof): string | null {
  const token = readCookie(exchange.headers.get("cookie"), cookieName(name, exchange.secure));
  if (token === null) return null;
  const isOurs = isFromAllowedOrigin(exchange, proof);
  return isOurs && (proof === "origin" || exchange.headers.get("x-parley") === "1") ? token : null;
}

/** For an upgrade, which no preflight protects: a page that may not read our answers may not open a socket either. */
export function checkOrigin({ site }: Exchange): void {
  if (site === "foreign") throw foreign();
}

/** A browser keeps a `__Host-` cookie from other hosts' and subdomains' hands, and only takes it over HTTPS. */
export function cookieName(name: CookieName, secure: boolean): string {
  return secure ? `__Host-parley_${name}` : `parley_${name}`;
}

function isFromAllowedOrigin(exchange: Exchange, proof: CookieProof): boolean {
  const { site, headers } = exchange;
  if (site === "own" || site === "listed") return true;
  if (site !== "absent") throw foreign();
  // Browsers leave the origin out of a GET within one origin, and say so here.
  switch (headers.get("sec-fetch-site")) {
    case "same-origin":
      return true;
    case "none":
      return proof === "origin";
    case null:
      return false;
    default:
      throw foreign();
  }
}

function foreign(): AppError {
  return new AppError("origin_not_allowed", "This origin is not allowed here (CORS_ORIGINS)");
}

function readCookie(header: string | null, name: string): string | null {
  if (header === null) return null;
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}

/** Who has the operators' token. Where none is set, nobody has. */
export function isOperator({ headers }: Exchange, metricsToken: string | null): boolean {
  return metricsToken !== null && isSame(headers.get("authorization") ?? "", `Bearer ${metricsToken}`);
}

/** Takes as long for a wrong first letter as for a wrong last one. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < expected.length; index += 1) difference |= given.charCodeAt(index) ^ expected.charCodeAt(index);
  return difference === 0;
}
