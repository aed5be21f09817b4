import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { envExample } from "./env-example.ts";
import { localSecret } from "./local-secret.ts";
import { secretsOf } from "./secrets.ts";

const secret = "0123456789-0123456789-0123456789";

test("a first start needs nothing", () => {
  expect(readConfig({})).toMatchObject({
    PORT: 3000,
    HOST: "127.0.0.1",
    DATABASE_URL: null,
    JWT_SECRET: [],
    ACCESS_TOKEN_TTL: 900_000,
    MAX_SESSIONS_PER_USER: 5,
    RATE_LIMIT_SIGN_IN: { count: 5, windowMs: 900_000, blockMs: 900_000 },
    RATE_LIMIT_TOOLS: { free: { count: 5, windowMs: 60_000 }, enterprise: { count: 100, windowMs: 60_000 } },
  });
});

test.each([
  [{ PORT: "99999" }, 'PORT is "99999", but it takes a whole number from 0 to 65535'],
  [{ PORT: "80.5" }, 'PORT is "80.5"'],
  [{ DATABASE_URL: "mysql://x" }, "DATABASE_URL is set to something of 9 characters, but it takes a postgres:// address"],
  [{ ACCESS_TOKEN_TTL: "15" }, 'ACCESS_TOKEN_TTL is "15", but it takes a duration such as 15m'],
  [{ RATE_LIMIT_CHAT: "10/1m/1h/1d" }, 'RATE_LIMIT_CHAT is "10/1m/1h/1d"'],
  [{ RATE_LIMIT_CHAT: "0/1m" }, 'RATE_LIMIT_CHAT is "0/1m"'],
  [{ RATE_LIMIT_TOOLS: "gold=5/1m" }, "RATE_LIMIT_TOOLS"],
  [{ REGISTRATION: "maybe" }, 'REGISTRATION is "maybe", but it takes open, invite or closed'],
  [{ ALERT_SLACK_URL: "hooks.slack.com/x" }, "ALERT_SLACK_URL is set to something of 17 characters"],
  [{ ALERT_WEBHOOK_URL: "https://me:secret@example.com" }, "an http or https address without a user and password"],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:secret@example.com" }, "an http or https address without a user and password"],
  [{ ALERT_WEBHOOK_SECRET: "short" }, "ALERT_WEBHOOK_SECRET is set to something of 5 characters"],
  [{ ALERT_MAIL_TO: "me@example.com, you" }, 'ALERT_MAIL_TO is "me@example.com, you", but it takes mail addresses'],
  [{ ALERT_MAIL_TO: "me@example.com" }, "ALERT_MAIL_TO is set, but neither SMTP_URL nor MAIL_API_URL is"],
  [{ NODE_ENV: "production" }, "JWT_SECRET is not set"],
  [{ JWT_SECRET: "short" }, "JWT_SECRET has a secret of 5 characters"],
  [{ JWT_SECRET: `${secret},short` }, "JWT_SECRET has a secret of 5 characters"],
  [{ NODE_ENV: "production", JWT_SECRET: `changeme-${secret}` }, "JWT_SECRET has a secret of"],
])("%o stops the start with one line", (environment, line) => {
  expect(() => readConfig(environment)).toThrow(line);
  try {
    readConfig(environment);
  } catch (error) {
    expect(String(error)).not.toContain("\n");
  }
});

test("of headers each value is known as a secret, as it is given and as it is sent", () => {
  const found = secretsOf({ OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20bWU6c2VjcmV0, x-key=seven%2Feight==" });
  for (const known of ["Basic%20bWU6c2VjcmV0", "Basic bWU6c2VjcmV0", "bWU6c2VjcmV0", "seven%2Feight==", "seven/eight=="]) {
    expect(found).toContain(known);
  }
});

test("a secret's value is never shown", () => {
  expect(() => readConfig({ SMTP_URL: "canary-password@mail" })).toThrow(/^SMTP_URL is set to something of 20 characters/);
  expect(() => readConfig({ SMTP_URL: "canary-password@mail" })).not.toThrow(/canary/);
});

test("an empty variable counts as not set, and lists are split", () => {
  expect(
    readConfig({ PORT: " ", CORS_ORIGINS: "https://a.example, https://b.example,", JWT_SECRET: `${secret}a, ${secret}b` }),
  ).toMatchObject({
    PORT: 3000,
    CORS_ORIGINS: ["https://a.example", "https://b.example"],
    JWT_SECRET: [`${secret}a`, `${secret}b`],
  });
});

test(".env.example has every variable with its default", async () => {
  const file = new URL("../../../../.env.example", import.meta.url);
  expect(await readFile(file, "utf8"), "run `npm run env:example`").toBe(envExample());
});

test("the secret of a local start is made once, also by ten processes at once, and only its owner may read it", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "parley-secret-"));
  const secrets = await Promise.all(Array.from({ length: 10 }, () => localSecret(path.join(folder, "data"))));
  expect(new Set(secrets).size).toBe(1);
  expect(Buffer.byteLength(secrets[0] ?? "")).toBeGreaterThanOrEqual(32);
  expect((await stat(path.join(folder, "data/jwt-secret"))).mode & 0o077).toBe(0);
  await rm(folder, { recursive: true });
});
