import { errors, jwtVerify, SignJWT } from "jose";
import { AppError } from "../errors.ts";
import type { Clock } from "../ports.ts";

const issuer = "parley";
const audience = "parley";
const type = "at+jwt";
const algorithm = "HS256";

export interface AccessClaims {
  userId: string;
  sessionId: string;
  expiresAt: number;
}

/** Signs with the first secret and accepts all, so that secrets can be rotated. */
export function createTokens({ clock }: { clock: Clock }, secrets: readonly string[], ttlMs: number) {
  const encoder = new TextEncoder();
  const ready = Promise.all(secrets.map(importSecret));

  async function importSecret(secret: string) {
    const bytes = encoder.encode(secret);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(`kid:${secret}`)));
    const kid = Array.from(digest.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    return { kid, key };
  }

  return {
    async issue(userId: string, sessionId: string): Promise<{ accessToken: string; expiresIn: number }> {
      const [current] = await ready;
      if (!current) throw new Error("No secret to sign with");
      const now = Math.floor(clock.now().getTime() / 1000);
      const expiresIn = Math.floor(ttlMs / 1000);
      const accessToken = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: algorithm, typ: type, kid: current.kid })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + expiresIn)
        .sign(current.key);
      return { accessToken, expiresIn };
    },

    async verify(token: string): Promise<AccessClaims> {
      const keys = await ready;
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const found = keys.find((candidate) => candidate.kid === kid);
            if (!found) throw new errors.JWTInvalid("Unknown key");
            return found.key;
          },
          {
            algorithms: [algorithm],
            issuer,
            audience,
            typ: type,
            requiredClaims: ["sub", "sid", "exp"],
            currentDate: clock.now(),
          },
        );
        if (typeof payload.sid !== "string" || !payload.sub || !payload.exp) throw new errors.JWTInvalid("Incomplete");
        return { userId: payload.sub, sessionId: payload.sid, expiresAt: payload.exp * 1000 };
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw new AppError("token_expired", "This access token has expired");
        throw new AppError("unauthenticated", "This access token is not valid");
      }
    },
  };
}
