import { deriveKeys } from "./secrets.ts";

const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** The same on every node, because it follows from the secret that they share. */
export async function createSetupCode(secrets: readonly string[]) {
  const [current] = await deriveKeys(secrets, "setup");
  if (!current) throw new Error("No secret to make a set-up code from");
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", current.key, new TextEncoder().encode("first account")));
  const letters = Array.from(bytes.subarray(0, 12), (byte) => alphabet[byte % alphabet.length]).join("");
  const code = `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8)}`;
  return { code, matches: (given: string) => given.trim().toUpperCase() === code };
}
