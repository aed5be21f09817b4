import type { Settings } from "@parley/core";
import type { OpenDatabase } from "@parley/platform/node";
import { localSecret } from "./config/local-secret.ts";
import { readModelsFile } from "./config/models-file.ts";
import type { Environment } from "./config/variables.ts";

/** The environment in the words of the domain. */
export async function readSettings(config: Environment, database: OpenDatabase["kind"]): Promise<Settings> {
  return {
    jwtSecrets: config.JWT_SECRET.length > 0 ? config.JWT_SECRET : [await localSecret(config.DATA_DIR)],
    accessTokenTtlMs: config.ACCESS_TOKEN_TTL,
    sessionTtlMs: config.REFRESH_TOKEN_TTL,
    sessionMaxAgeMs: config.SESSION_MAX_AGE,
    maxSessions: config.MAX_SESSIONS_PER_USER,
    registration: config.REGISTRATION,
    emailVerification: config.EMAIL_VERIFICATION || (config.SMTP_URL ? "required" : "off"),
    publicUrl: config.PUBLIC_URL ?? `http://localhost:${config.PORT}`,
    messageMaxLength: config.MESSAGE_MAX_LENGTH,
    defaultModel: config.DEFAULT_MODEL,
    modelOverrides: await readModelsFile(config.MODELS_FILE),
    fallbackModels: config.FALLBACK_MODELS,
    generation: {
      deadlines: {
        firstByteMs: config.MODEL_TIMEOUT_FIRST,
        localFirstByteMs: 5 * config.MODEL_TIMEOUT_FIRST,
        gapMs: config.MODEL_TIMEOUT_GAP,
        totalMs: config.MODEL_TIMEOUT,
      },
      retryMs: config.MODEL_RETRY,
      requests: config.RATE_LIMIT_PROVIDER_REQUESTS,
      tokens: config.RATE_LIMIT_PROVIDER_TOKENS,
    },
    budgets: {
      free: { tokens: config.BUDGET_TOKENS.free, micros: config.BUDGET_COST.free },
      pro: { tokens: config.BUDGET_TOKENS.pro, micros: config.BUDGET_COST.pro },
      enterprise: { tokens: config.BUDGET_TOKENS.enterprise, micros: config.BUDGET_COST.enterprise },
    },
    soleWriter: database === "pglite",
    limits: {
      guest: config.RATE_LIMIT_GENERAL_GUEST,
      user: config.RATE_LIMIT_GENERAL,
      signIn: config.RATE_LIMIT_SIGN_IN,
      passwordReset: config.RATE_LIMIT_PASSWORD_RESET,
      chat: config.RATE_LIMIT_CHAT,
    },
  };
}
