import type { Settings } from "@parley/core";
import { sendsMail } from "./config/config.ts";
import type { Environment } from "./config/variables.ts";
import { version } from "./version.ts";

/** What the environment only points to. */
export interface Found extends Pick<Settings, "jwtSecrets" | "modelOverrides" | "soleWriter"> {
  alertRules: Settings["alerts"]["rules"];
}

/** The environment in the words of the domain. */
export function settingsOf(config: Environment, { jwtSecrets, modelOverrides, alertRules, soleWriter }: Found): Settings {
  return {
    jwtSecrets,
    accessTokenTtlMs: config.ACCESS_TOKEN_TTL,
    sessionTtlMs: config.REFRESH_TOKEN_TTL,
    sessionMaxAgeMs: config.SESSION_MAX_AGE,
    maxSessions: config.MAX_SESSIONS_PER_USER,
    registration: config.REGISTRATION,
    emailVerification: config.EMAIL_VERIFICATION || (sendsMail(config) ? "required" : "off"),
    publicUrl: config.PUBLIC_URL ?? `http://localhost:${config.PORT}`,
    messageMaxLength: config.MESSAGE_MAX_LENGTH,
    defaultModel: config.DEFAULT_MODEL,
    modelOverrides,
    fallbackModels: config.FALLBACK_MODELS,
    taskModel: config.TASK_MODEL,
    generation: {
      deadlines: {
        firstByteMs: config.MODEL_TIMEOUT_FIRST,
        localFirstByteMs: 5 * config.MODEL_TIMEOUT_FIRST,
        gapMs: config.MODEL_TIMEOUT_GAP,
        totalMs: config.MODEL_TIMEOUT,
      },
      retryMs: config.MODEL_RETRY,
      taskMs: 15_000,
      requests: config.RATE_LIMIT_PROVIDER_REQUESTS,
      tokens: config.RATE_LIMIT_PROVIDER_TOKENS,
    },
    budgets: {
      free: { tokens: config.BUDGET_TOKENS.free, micros: config.BUDGET_COST.free },
      pro: { tokens: config.BUDGET_TOKENS.pro, micros: config.BUDGET_COST.pro },
      enterprise: { tokens: config.BUDGET_TOKENS.enterprise, micros: config.BUDGET_COST.enterprise },
    },
    metrics: { everyMs: config.METRICS_INTERVAL, version },
    alerts: { rules: alertRules, retryMs: 2_000 },
    soleWriter,
    limits: {
      guest: config.RATE_LIMIT_GENERAL_GUEST,
      user: config.RATE_LIMIT_GENERAL,
      signIn: config.RATE_LIMIT_SIGN_IN,
      passwordReset: config.RATE_LIMIT_PASSWORD_RESET,
      chat: config.RATE_LIMIT_CHAT,
      presence: config.RATE_LIMIT_PRESENCE,
    },
  };
}
