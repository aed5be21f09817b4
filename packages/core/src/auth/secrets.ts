const encoder = new TextEncoder();

export interface SecretKey {
  kid: string;
  key: CryptoKey;
}

/** One key a secret and a purpose: what is signed for one purpose says nothing about another. */
export function deriveKeys(secrets: readonly string[], purpose: string): Promise<SecretKey[]> {
  return Promise.all(
    secrets.map(async (secret) => {
      const kid = toHex(await sha256(`kid:${purpose}:${secret}`)).slice(0, 12);
      const bytes = await sha256(`${purpose}:${secret}`);
      const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
      return { kid, key };
    }),
  );
}

export async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Null for what is not in this form. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

export function randomToken(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}
