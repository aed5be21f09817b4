import type { Site } from "./exchange.ts";

const localNames = ["localhost", "*.localhost", "127.0.0.1", "[::1]"];

/** Keeps a page whose name was pointed at this machine (DNS rebinding) from talking to it as its own origin. */
export function createHostList(allowedHosts: readonly string[], publicUrl: string | null): (host: string) => boolean {
  if (allowedHosts.includes("*")) return () => true;
  const own = publicUrl === null ? [] : [hostOf(publicUrl)];
  const entries = (allowedHosts.length > 0 ? [...allowedHosts, ...own] : [...localNames, ...own]).map(nameOf);
  const names = new Set(entries.filter((entry) => !entry.startsWith("*.")));
  const suffixes = entries.filter((entry) => entry.startsWith("*.")).map((entry) => entry.slice(1));
  return (host) => {
    const name = nameOf(host);
    return names.has(name) || suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length);
  };
}

/** The host without its port. */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}

const isOurMachine = createHostList([], null);

/** A name that only this machine answers to, for itself. */
export function isLocalName(host: string): boolean {
  return isOurMachine(host);
}

export function hostOf(url: string): string {
  return new URL(url).host;
}

export function createOriginList(
  corsOrigins: readonly string[],
  publicUrl: string | null,
): (origin: string, host: string, secure: boolean) => Site {
  const listed = new Set(corsOrigins.filter((entry) => entry !== "*").map(webOriginOf));
  const others: Site = corsOrigins.includes("*") ? "any" : "foreign";
  const own = publicUrl === null ? null : webOriginOf(publicUrl);
  return (origin, host, secure) => {
    if (origin === own || origin === `${secure ? "https" : "http"}://${host}`) return "own";
    return listed.has(origin) ? "listed" : others;
  };
}

/** Apps have origins that URL calls opaque, such as `capacitor://localhost`. */
function webOriginOf(entry: string): string {
  const { origin } = parse(entry);
  return origin === "null" ? entry.replace(/\/$/, "") : origin;
}

function parse(entry: string): URL {
  try {
    return new URL(entry);
  } catch {
    throw new Error(`CORS_ORIGINS: "${entry}" is no origin, such as https://chat.example.com`);
  }
}
