import ipaddr from "ipaddr.js";
import type { HeaderReader } from "./exchange.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** What an address is worth: a proxy of ours, a client, or nothing that could be an address. */
export type Trust = (address: string) => "trusted" | "client" | "garbage";

const loopback = ["127.0.0.0/8", "::1/128"];
const groups: Record<string, string[]> = {
  loopback,
  private: [...loopback, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
};
const maximumHops = 32;

/** Null when no proxy is trusted, so that nothing is looked up then. Throws for an entry that means nothing. */
export function createTrust(entries: readonly string[]): Trust | null {
  const ranges = entries.flatMap((entry) => groups[entry] ?? [entry]).map(parseRange);
  if (ranges.length === 0) return null;
  return remembered((address) => {
    const parsed = parseAddress(address);
    if (parsed === null) return "garbage";
    const isTrusted = ranges.some(([base, bits]) => parsed.kind() === base.kind() && parsed.match(base, bits));
    return isTrusted ? "trusted" : "client";
  });
}

const rememberedAddresses = 1000;
const longestAddress = 64;

/** Parsing an address costs more than the rest of the gate, and the same few keep coming. */
export function remembered<Value extends string>(compute: (address: string) => Value): (address: string) => Value {
  const known = new Map<string, Value>();
  return (address) => {
    const value = known.get(address);
    if (value !== undefined) return value;
    const computed = compute(address);
    if (known.size >= rememberedAddresses) known.clear();
    if (address.length <= longestAddress) known.set(address, computed);
    return computed;
  };
}

function parseRange(entry: string): [Address, number] {
  const address = parseAddress(entry);
  if (address !== null) return [address, address.kind() === "ipv4" ? 32 : 128];
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(entry) || ipaddr.IPv6.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  throw new Error(`TRUSTED_PROXIES: "${entry}" is no address, no CIDR, and neither "loopback" nor "private"`);
}

/** Only whole addresses: `1` and `0x7f.1` are addresses to a C library, and forgeries in a header. */
function parseAddress(text: string): Address | null {
  const isWhole = text.includes(":") ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
  return isWhole ? ipaddr.process(text) : null;
}

/**
 * The right-most address that no trusted proxy stands for. `Forwarded` is not read: a proxy that writes
 * `X-Forwarded-For` hands on whatever `Forwarded` its client made up.
 */
export function clientAddress(peer: string, headers: HeaderReader, trusts: Trust): string {
  const entries = (headers.get("x-forwarded-for") ?? "").split(",");
  let client = peer;
  const last = Math.max(0, entries.length - maximumHops);
  for (let index = entries.length - 1; index >= last; index -= 1) {
    const address = withoutPort(entries[index] ?? "");
    const worth = trusts(address);
    if (worth !== "garbage") client = address;
    if (worth !== "trusted") break;
  }
  return client;
}

function withoutPort(entry: string): string {
  const text = entry.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text);
  if (bracketed) return bracketed[1] ?? "";
  return /^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(":")) : text;
}

/** How limits count an address: IPv4 as it is, also when mapped; IPv6 by its /64, since one person has all of it. */
export function limitKey(address: string): string {
  if (!address.includes(":")) return address;
  const parsed = parseAddress(address);
  if (parsed === null) return address;
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toRFC5952String()}/64`;
}
