import { errors, jwtVerify, SignJWT } from "jose";
import { AppError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { deriveKeys } from "./secrets.ts";

const issuer = "parley";
const audience = "parley";
const type = "at+jwt";
const algorithm = "HS256";

export interface AccessClaims {
  userId: string;
  sessionId: string;
  expiresAt: number;
}

export interface AccessGrant {
  userId: string;
  sessionId: string;
  plan: string;
  role: string;
}

/** Access tokens. The first secret signs and all are accepted, so that secrets can be rotated. */
export function createTokens({ clock }: { clock: Clock }, secrets: readonly string[], ttlMs: number) {
  const keys = deriveKeys(secrets, "access");

  return {
    async issue({ userId, sessionId, plan, role }: AccessGrant): Promise<{ accessToken: string; expiresIn: number }> {
      const [current] = await keys;
      if (!current) throw new Error("No secret to sign with");
      const now = Math.floor(clock.now().getTime() / 1000);
      const expiresIn = Math.floor(ttlMs / 1000);
      const accessToken = await new SignJWT({ sid: sessionId, plan, role })
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
      const known = await keys;
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const found = known.find((candidate) => candidate.kid === kid);
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
