import type { Limit } from "./ports.ts";

/** What an operator may choose, as the domain needs it. Null limits nothing. */
export interface Settings {
  jwtSecrets: readonly string[];
  accessTokenTtlMs: number;
  sessionTtlMs: number;
  messageMaxLength: number;
  defaultModel: string | null;
  /** No other process writes to this database: what it finds running at the start is nobody's. */
  soleWriter: boolean;
  limits: {
    guest: Limit | null;
    user: Limit | null;
    signIn: Limit | null;
    chat: Limit | null;
  };
}
