import { samplers } from "@parley/platform/tracing";
import * as z from "zod";
import {
  address,
  headerList,
  lifetime,
  limit,
  limitByPlan,
  list,
  mailAddresses,
  moneyByPlan,
  openAddress,
  orNone,
  orOff,
  sentryDsn,
  share,
  timeout,
  tokensByPlan,
  wholeNumber,
} from "./values.ts";
import { secret, secretAddress, type Variable, variable } from "./variable.ts";

const limitForm = "COUNT/WINDOW such as 10/1m, COUNT/WINDOW/BLOCK (in whole seconds, up to 24d), or off";
const timeoutForm = "a duration such as 30s or 5m, from 1s to 1d";
const openAddressForm = "an http or https address without a user and password";
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
    DATABASE_URL: secretAddress(
      orNone(address("postgres", "postgresql")),
      "Postgres 15 or newer; empty: embedded Postgres in DATA_DIR",
      "a postgres:// address",
    ),
    REDIS_URL: secretAddress(
      orNone(address("redis", "rediss")),
      "limits and events that several nodes share; empty: each node counts for itself, and events go through Postgres",
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
      "empty: required when mail can be sent, otherwise off",
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
    SMTP_URL: secretAddress(
      orNone(address("smtp", "smtps")),
      "mail server; without one, links are written to the log",
      "an smtp:// or smtps:// address",
    ),
    MAIL_API_URL: variable(
      orNone(openAddress),
      "",
      "a mail service over HTTP instead: takes from, to, subject, text and html as JSON, with MAIL_API_KEY as bearer",
      openAddressForm,
    ),
    MAIL_API_KEY: secret(text, "", "a key"),
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
    TASK_MODEL: variable(
      z.string().min(1),
      "same",
      "thinks of titles and sums up what no longer fits; same: the conversation's own model, off: nobody",
      "same, off or a model's id",
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
    RATE_LIMIT_PRESENCE: variable(limit, "120/1m", "comings, goings and typing of one account", limitForm),
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
    SHUTDOWN_GRACE: variable(
      timeout,
      "20s",
      "how long answers under way may go on after SIGTERM; the process ends at most 10 seconds later",
      timeoutForm,
    ),
    LOG_LEVEL: variable(
      z.enum(["debug", "info", "warn", "error"]),
      "info",
      "the least important lines that are logged",
      "debug, info, warn or error",
    ),
    LOG_DIR: variable(text, "", "daily files as well as standard output", "a folder"),
    METRICS_TOKEN: secret(text, "opens /metrics, and the details of /health", "a token"),
    METRICS_INTERVAL: variable(timeout, "30s", "how often the process and its services are looked at", timeoutForm),
    NODE_NAME: variable(text, "", "tells this process from others in charts; empty: the machine's name and the port", "a name"),
    OTEL_EXPORTER_OTLP_ENDPOINT: variable(
      orNone(openAddress),
      "",
      "is sent traces by OTLP over HTTP, at /v1/traces (docs/operations/tracing.md); empty: nothing is traced",
      openAddressForm,
    ),
    OTEL_EXPORTER_OTLP_HEADERS: secret(headerList, "sent along, a key for example", "NAME=VALUE,NAME=VALUE"),
    OTEL_SERVICE_NAME: variable(z.string().min(1), "parley", "what traces are filed under", "a name"),
    OTEL_TRACES_SAMPLER: variable(
      z.enum(samplers),
      "parentbased_traceidratio",
      "which traces are taken; parentbased: those of a caller that traces, as the caller says",
      samplers.join(", "),
    ),
    OTEL_TRACES_SAMPLER_ARG: variable(
      share,
      "1",
      "the share of traces that is taken, by the ratio samplers",
      "a number from 0 to 1",
    ),
    OTEL_BSP_SCHEDULE_DELAY: variable(
      wholeNumber(1, 60_000),
      "5000",
      "how long steps of traces are gathered before they are sent; on a worker 2 to 5 seconds",
      "milliseconds, from 1 to 60000",
    ),
    SENTRY_DSN: secret(orNone(sentryDsn), "is told of crashes and unexpected errors, and of traces", "a DSN"),
    SENTRY_TRACES_SAMPLE_RATE: variable(
      orNone(share),
      "",
      "the share of traces that Sentry gets; empty: 0.1 in production, otherwise 1",
      "a number from 0 to 1",
    ),
    ALERT_WEBHOOK_URL: secret(orNone(openAddress), "is told of alerts, in JSON (docs/operations/alerts.md)", openAddressForm),
    ALERT_WEBHOOK_SECRET: secret(orNone(z.string().min(16)), "signs what the webhook is told", "16 characters or more"),
    ALERT_SLACK_URL: secret(orNone(openAddress), "an incoming webhook of Slack, told of alerts", openAddressForm),
    ALERT_DISCORD_URL: secret(orNone(openAddress), "a webhook of a Discord channel, told of alerts", openAddressForm),
    ALERT_MAIL_TO: variable(
      mailAddresses,
      "",
      "told of alerts by mail; needs SMTP_URL or MAIL_API_URL",
      "mail addresses, comma-separated",
    ),
    ALERT_RULES: variable(
      text,
      "",
      "changes the rules of alerts or switches them off (docs/operations/alerts.md)",
      "a JSON file",
    ),
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
];
