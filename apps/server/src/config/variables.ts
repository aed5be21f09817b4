import * as z from "zod";
import {
  address,
  lifetime,
  limit,
  limitByPlan,
  list,
  moneyByPlan,
  orNone,
  orOff,
  timeout,
  tokensByPlan,
  wholeNumber,
} from "./values.ts";

export interface Variable<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** What holds when the variable is not set; the empty string stands for "none". */
  fallback: string;
  about: string;
  /** What may be given, in words. */
  allowed: string;
  secret: boolean;
}

function variable<Schema extends z.ZodType>(schema: Schema, fallback: string, about: string, allowed: string): Variable<Schema> {
  return { schema, fallback, about, allowed, secret: false };
}

function secret<Schema extends z.ZodType>(schema: Schema, about: string, allowed: string): Variable<Schema> {
  return { schema, fallback: "", about, allowed, secret: true };
}

const limitForm = "COUNT/WINDOW such as 10/1m, COUNT/WINDOW/BLOCK (in whole seconds, up to 24d), or off";
const timeoutForm = "a duration such as 30s or 5m, from 1s to 1d";
const durationForm = "a duration such as 15m or 7d, from 10s to 3650d";
const keys = "one key, or several separated by commas";
const text = orNone(z.string().min(1));

/** Every variable, by the headings of `.env.example`. */
export const groups = {
  Server: {
    NODE_ENV: variable(
      z.enum(["development", "production"]),
      "development",
      "production is strict about secrets and HTTPS",
      "development or production",
    ),
    PORT: variable(
      wholeNumber(0, 65_535),
      "3000",
      "one port for HTTP and WebSocket; 0 picks a free one",
      "a whole number from 0 to 65535",
    ),
    HOST: variable(z.string().min(1), "127.0.0.1", "the address to listen on; 0.0.0.0 for all", "an address or a host name"),
    PUBLIC_URL: variable(
      orNone(address("http", "https")),
      "",
      "where people reach this server; links in mails start with it",
      "an http or https address",
    ),
    DATA_DIR: variable(z.string().min(1), ".parley", "the embedded database, the secret of a local start, files", "a folder"),
    ALLOWED_HOSTS: variable(
      list,
      "",
      "names this server answers to; empty: localhost and the host of PUBLIC_URL; * for any",
      "host names, comma-separated",
    ),
    CORS_ORIGINS: variable(list, "", "origins of other web apps that may call with credentials", "origins, comma-separated"),
    TRUSTED_PROXIES: variable(
      list,
      "",
      "proxies whose x-forwarded headers count: addresses, CIDRs, loopback, private",
      "addresses and CIDRs, comma-separated",
    ),
  },
  Storage: {
    DATABASE_URL: variable(
      orNone(address("postgres", "postgresql")),
      "",
      "Postgres 15 or newer; empty: embedded Postgres in DATA_DIR",
      "a postgres:// address",
    ),
    REDIS_URL: variable(
      orNone(address("redis", "rediss")),
      "",
      "shared limits for several nodes; empty: each node counts for itself",
      "a redis:// or rediss:// address",
    ),
    S3_ENDPOINT: variable(orNone(address("http", "https")), "", "files on S3 instead of in DATA_DIR", "an http or https address"),
    S3_BUCKET: variable(text, "", "", "a bucket's name"),
    S3_REGION: variable(text, "", "", "a region's name"),
    S3_ACCESS_KEY_ID: secret(text, "", "a key id"),
    S3_SECRET_ACCESS_KEY: secret(text, "", "a key"),
    UPLOAD_MAX_BYTES: variable(
      wholeNumber(1, 1_073_741_824),
      "10485760",
      "the largest file that may be uploaded",
      "a number of bytes up to 1073741824",
    ),
  },
  Accounts: {
    JWT_SECRET: secret(
      list,
      "signs tokens; several, comma-separated, to rotate: the first one signs, all are accepted",
      "32 bytes or more each, comma-separated",
    ),
    REGISTRATION: variable(z.enum(["open", "invite", "closed"]), "open", "who may make an account", "open, invite or closed"),
    EMAIL_VERIFICATION: variable(
      z.enum(["", "off", "required"]),
      "",
      "empty: required when SMTP_URL is set, otherwise off",
      "off or required",
    ),
    ACCESS_TOKEN_TTL: variable(lifetime, "15m", "how long an access token lives", durationForm),
    REFRESH_TOKEN_TTL: variable(lifetime, "7d", "how long a session lives without being used", durationForm),
    SESSION_MAX_AGE: variable(lifetime, "30d", "how long a session lives at most", durationForm),
    MAX_SESSIONS_PER_USER: variable(
      wholeNumber(1, 1_000),
      "5",
      "the oldest session ends when there are more",
      "a whole number from 1 to 1000",
    ),
    SMTP_URL: secret(
      orNone(address("smtp", "smtps")),
      "mail server; without one, links are written to the log",
      "an smtp:// or smtps:// address",
    ),
    MAIL_FROM: variable(text, "", "the sender of mails", "a mail address"),
  },
  Models: {
    DEFAULT_MODEL: variable(text, "", "empty: the first model of the first configured provider", "a model's id"),
    FALLBACK_MODELS: variable(
      list,
      "",
      "asked in this order when a model fails and the request names nobody",
      "models' ids, comma-separated",
    ),
    MODELS_FILE: variable(text, "", "corrects and adds to the shipped catalogue (docs/models.md)", "a JSON file"),
    ANTHROPIC_API_KEY: secret(text, "Claude", "a key"),
    ANTHROPIC_API_KEY_BACKUP: secret(list, "tried while the ones before it rest", keys),
    ANTHROPIC_BASE_URL: variable(
      orNone(address("http", "https")),
      "",
      "another address for Claude's API",
      "an http or https address",
    ),
    GOOGLE_AI_API_KEY: secret(text, "Gemini", "a key"),
    GOOGLE_AI_API_KEY_BACKUP: secret(list, "tried while the ones before it rest", keys),
    GOOGLE_AI_BASE_URL: variable(
      orNone(address("http", "https")),
      "",
      "another address for Gemini's API",
      "an http or https address",
    ),
    OPENAI_COMPATIBLE_BASE_URL: variable(
      orNone(address("http", "https")),
      "",
      "OpenAI, vLLM, llama.cpp, LM Studio, with the version: https://api.openai.com/v1",
      "an http or https address",
    ),
    OLLAMA_URL: variable(
      orOff(address("http", "https")),
      "http://127.0.0.1:11434",
      "an Ollama that is found by itself; off: nobody looks",
      "an http or https address, or off",
    ),
    OPENAI_COMPATIBLE_API_KEY: secret(text, "", "a key"),
    OPENAI_COMPATIBLE_API_KEY_BACKUP: secret(list, "tried while the ones before it rest", keys),
    MODEL_TIMEOUT_FIRST: variable(
      timeout,
      "60s",
      "how long a model may take to begin; five times as long on one's own machine",
      timeoutForm,
    ),
    MODEL_TIMEOUT_GAP: variable(timeout, "60s", "how long a model may be silent in mid-answer", timeoutForm),
    MODEL_TIMEOUT: variable(timeout, "15m", "how long one call to a model may take in all", timeoutForm),
    MODEL_RETRY: variable(timeout, "90s", "how long failures are met with another try or another model", timeoutForm),
  },
  Limits: {
    MESSAGE_MAX_LENGTH: variable(
      wholeNumber(1, 1_000_000),
      "10000",
      "characters in a message",
      "a whole number from 1 to 1000000",
    ),
    RATE_LIMIT_GENERAL_GUEST: variable(limit, "100/15m", "calls from one address without an account", limitForm),
    RATE_LIMIT_GENERAL: variable(limit, "1500/15m", "calls of one account", limitForm),
    RATE_LIMIT_SIGN_IN: variable(limit, "5/15m/15m", "failed sign-ins from one address", limitForm),
    RATE_LIMIT_CHAT: variable(limit, "10/1m", "messages of one account", limitForm),
    RATE_LIMIT_PASSWORD_RESET: variable(limit, "3/1h", "password resets from one address", limitForm),
    RATE_LIMIT_PROVIDER_REQUESTS: variable(limit, "60/1m", "requests to a provider, for each of its keys", limitForm),
    RATE_LIMIT_PROVIDER_TOKENS: variable(limit, "100000/1m", "tokens of a provider, for each of its keys", limitForm),
    BUDGET_TOKENS: variable(
      tokensByPlan,
      "off",
      "tokens of one account in a month, by plan",
      "numbers by plan such as free=200000,pro=5000000, one for all, or off",
    ),
    BUDGET_COST: variable(
      moneyByPlan,
      "off",
      "money of one account in a month, by plan, in the currency of the prices (US dollars as shipped)",
      "amounts by plan such as free=0.50,pro=20, one for all, or off",
    ),
    RATE_LIMIT_TOOLS: variable(
      limitByPlan,
      "free=5/1m,pro=20/1m,enterprise=100/1m",
      "tool calls of one account, by plan",
      "limits by plan such as free=5/1m,pro=20/1m",
    ),
  },
  Operation: {
    LOG_LEVEL: variable(
      z.enum(["debug", "info", "warn", "error"]),
      "info",
      "the least important lines that are logged",
      "debug, info, warn or error",
    ),
    LOG_DIR: variable(text, "", "daily files as well as standard output", "a folder"),
    METRICS_TOKEN: secret(text, "opens the details of /health", "a token"),
    SENTRY_DSN: secret(orNone(address("http", "https")), "reports crashes", "a DSN"),
    ALERT_WEBHOOK_URL: secret(orNone(address("http", "https")), "is told of alerts", "an http or https address"),
  },
} satisfies Record<string, Record<string, Variable>>;

export const variables = {
  ...groups.Server,
  ...groups.Storage,
  ...groups.Accounts,
  ...groups.Models,
  ...groups.Limits,
  ...groups.Operation,
};

export type Variables = typeof variables;
export type Environment = { [Name in keyof Variables]: z.output<Variables[Name]["schema"]> };

/** Read and checked, but nothing listens to them in this version. */
export const notConnected: (keyof Variables)[] = [
  "S3_ENDPOINT",
  "S3_BUCKET",
  "S3_REGION",
  "S3_ACCESS_KEY_ID",
  "S3_SECRET_ACCESS_KEY",
  "UPLOAD_MAX_BYTES",
  "RATE_LIMIT_TOOLS",
  "SENTRY_DSN",
  "ALERT_WEBHOOK_URL",
];
