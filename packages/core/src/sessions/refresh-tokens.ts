import { deriveKeys, fromBase64Url, toBase64Url, toHex } from "../auth/secrets.ts";

const prefix = "plr_";
const bodyLength = 20;

export interface RefreshClaims {
  sessionId: string;
  counter: number;
}

/**
 * A session's id and a counter, signed. There is no time in it: for everyone who is entitled to the current token it is
 * the same, so that many refreshes at once end with one.
 */
export function createRefreshTokens(secrets: readonly string[]) {
  const keys = deriveKeys(secrets, "refresh");

  return {
    async issue({ sessionId, counter }: RefreshClaims): Promise<string> {
      const [current] = await keys;
      if (!current) throw new Error("No secret to sign with");
      const body = new Uint8Array(bodyLength);
      const id = sessionId.replaceAll("-", "");
      for (let index = 0; index < 16; index++) body[index] = Number.parseInt(id.slice(index * 2, index * 2 + 2), 16);
      new DataView(body.buffer).setUint32(16, counter);
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", current.key, body));
      return `${prefix}${toBase64Url(body)}.${toBase64Url(signature)}`;
    },

    /** Null for a token that we did not make. */
    async read(token: string): Promise<RefreshClaims | null> {
      if (!token.startsWith(prefix) || token.length > 200) return null;
      const [first = "", second = ""] = token.slice(prefix.length).split(".");
      const body = fromBase64Url(first);
      const signature = fromBase64Url(second);
      if (!body || body.length !== bodyLength || !signature) return null;
      for (const { key } of await keys) {
        if (await crypto.subtle.verify("HMAC", key, signature, body)) return readBody(body);
      }
      return null;
    },
  };
}

function readBody(body: Uint8Array<ArrayBuffer>): RefreshClaims {
  const id = toHex(body.subarray(0, 16));
  const sessionId = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join("-");
  return { sessionId, counter: new DataView(body.buffer).getUint32(16) };
}
