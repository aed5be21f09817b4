import type { Limit } from "./ports.ts";

/** What an operator may choose, as the domain needs it. Null limits nothing. */
export interface Settings {
  jwtSecrets: readonly string[];
  accessTokenTtlMs: number;
  /** A session that is not used for so long ends … */
  sessionTtlMs: number;
  /** … and one that is used, after so long. */
  sessionMaxAgeMs: number;
  maxSessions: number;
  registration: "open" | "invite" | "closed";
  emailVerification: "off" | "required";
  /** Links in letters begin with it. */
  publicUrl: string;
  messageMaxLength: number;
  defaultModel: string | null;
  /** No other process writes to this database: what it finds running at the start is nobody's. */
  soleWriter: boolean;
  limits: {
    guest: Limit | null;
    user: Limit | null;
    signIn: Limit | null;
    passwordReset: Limit | null;
    chat: Limit | null;
  };
}
