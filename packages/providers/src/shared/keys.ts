import { type ProviderCall, ProviderError } from "@parley/core/ports";

/** The runtime's own complaint about a header that cannot be sent would quote the key. */
export function keyAt(keys: string[], { key }: ProviderCall, label: string): string {
  const found = keys[key];
  if (found === undefined) throw new ProviderError("auth", `${label} has no key ${key + 1}`);
  if (!/^[\x21-\x7e]+$/.test(found)) throw new ProviderError("auth", `Key ${key + 1} of ${label} has characters that no key has`);
  return found;
}
