const privateRange = /^(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\./;
const privateIpv6 = /^\[(?:::1|::|f[cd][\da-f]{2}:.*|fe[89ab][\da-f]:.*)\]$/;
const localNames = /(?:^|\.)(?:localhost|local|internal)$/;

/** Whether a URL leads to this machine or this network. A name without a dot, as in a Compose file, leads nowhere else. */
export function isLocalUrl(url: string): boolean {
  const { hostname } = new URL(url);
  if (/^[\d.]+$/.test(hostname)) return hostname === "0.0.0.0" || privateRange.test(hostname);
  if (hostname.startsWith("[")) return privateIpv6.test(hostname) || isMappedPrivate(hostname);
  return !hostname.includes(".") || localNames.test(hostname);
}

/** An IPv4 address in IPv6 comes as `[::ffff:7f00:1]`. */
function isMappedPrivate(hostname: string): boolean {
  const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? [];
  if (!high || !low) return false;
  const numbers = [high, low].flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 255]);
  return privateRange.test(numbers.join("."));
}
