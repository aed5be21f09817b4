import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { databaseKinds, openLine, openTestDatabase, startUpstream } from "@parley/testing";
import postgres from "postgres";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startLocalWorker } from "../scripts/edge/local-worker.ts";
import type { Variable } from "../src/config/variable.ts";
import { variables } from "../src/config/variables.ts";
import { clientOf } from "./kit.ts";
import { processes } from "./process-kit.ts";
import { runtimes } from "./workerd.ts";

const { started, folder } = processes();

const models = { claude: "claude-sonnet-5-5", gemini: "gemini-2.5-flash", local: "local-model" };
const password = "Canary-password-1";
/** What only the operator knows. Everything that is planted has the word in it. */
const operators = {
  JWT_SECRET: "canary-jwt-secret-0123456789-0123456789",
  METRICS_TOKEN: "canary-metrics-token",
  ANTHROPIC_API_KEY: "canary-claude-one",
  ANTHROPIC_API_KEY_BACKUP: "canary-claude-two,canary-claude/three+",
  GOOGLE_AI_API_KEY: "canary-gemini",
  OPENAI_COMPATIBLE_API_KEY: "canary-local",
  SMTP_URL: "smtp://mailer:canary-smtp@127.0.0.1:9",
  MAIL_API_KEY: "canary-mail-service",
  S3_ACCESS_KEY_ID: "canary-files-id",
  S3_SECRET_ACCESS_KEY: "canary-files-key",
  GOOGLE_AI_API_KEY_BACKUP: "canary-gemini-two",
  OPENAI_COMPATIBLE_API_KEY_BACKUP: "canary-local-two",
  ALERT_WEBHOOK_URL: "http://127.0.0.1:9/services/canary-webhook-path/0123456789",
  ALERT_WEBHOOK_SECRET: "canary-webhook-secret",
  ALERT_SLACK_URL: "http://127.0.0.1:9/services/canary-slack-path/0123456789",
  ALERT_DISCORD_URL: "http://127.0.0.1:9/api/webhooks/canary-discord-path/0123456789",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20canary-otlp-one,x-key=canary-otlp%2Ftwo",
  SENTRY_DSN: "http://canarysentry0123456789abcdef@127.0.0.1:9/1",
};

test("all of them are planted: whatever is declared with `secret()`", () => {
  const declared = Object.entries<Variable>(variables).flatMap(([name, { secret }]) => (secret === "parts" ? [name] : []));
  expect(Object.keys(operators)).toEqual(expect.arrayContaining(declared));
});

/** What was planted is of no use where there are no files, no SMTP and no Redis: a worker has none of them. */
async function openWorker(databaseUrl: string, { SMTP_URL: _, ...variables }: Record<string, string>) {
  const lines: string[] = [];
  const env = { ...variables, MAIL_API_URL: "http://127.0.0.1:9", OLLAMA_URL: "off" };
  const worker = await startLocalWorker({ databaseUrl, variables: env, onLine: (line) => lines.push(line) });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= worker.stop());
  return {
    url: worker.url,
    client: (token: string | null = null) => clientOf(worker.url, token),
    stop,
    async written() {
      await stop();
      return lines.join("\n");
    },
  };
}

async function openProcess(env: Record<string, string>) {
  const logs = path.join(folder(), "logs");
  const server = await started({ ...env, LOG_DIR: logs });
  return {
    url: server.url,
    client: server.client,
    async stop() {
      server.child.kill("SIGKILL");
      await server.exited;
    },
    async written() {
      server.child.kill("SIGTERM");
      await server.exited;
      const files = readdirSync(logs).map((name) => readFileSync(path.join(logs, name), "utf8"));
      return [server.output, ...files].join("\n");
    },
  };
}

describe.skipIf(!databaseKinds.includes("postgres")).each(runtimes)("secrets, on %s", (runtime) => {
  const isWorker = runtime === "workerd";

  /** A server at its most talkative, whose vendors, mail server, Redis and database all fail. */
  async function open() {
    const database = await openTestDatabase("postgres");
    const line = await openLine(new URL(database.url ?? ""));
    const redis = await openLine(new URL(process.env.TEST_REDIS_URL ?? "redis://127.0.0.1:1"));
    const upstream = await startUpstream();
    upstream.models("anthropic", [models.claude]);
    upstream.models("gemini", [models.gemini]);
    upstream.models("openai", [models.local]);
    const address = new URL(line.url);
    // Trusted by this database, whatever it is.
    address.password = "canary-database";
    const redisAddress = new URL(redis.url);
    redisAddress.password = "canary-redis";
    const shared = {
      ...operators,
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      MAIL_FROM: "parley@example.com",
      EMAIL_VERIFICATION: "off",
      ANTHROPIC_BASE_URL: upstream.url,
      GOOGLE_AI_BASE_URL: upstream.url,
      OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
      LOG_LEVEL: "debug",
      MODEL_RETRY: "1s",
      RATE_LIMIT_CHAT: "off",
      RATE_LIMIT_SIGN_IN: "off",
      RATE_LIMIT_PASSWORD_RESET: "off",
      RATE_LIMIT_GENERAL_GUEST: "off",
    };
    const server = await (isWorker
      ? openWorker(address.href, shared)
      : openProcess({ ...shared, DATABASE_URL: address.href, REDIS_URL: redisAddress.href }));
    onTestFinished(async () => {
      await server.stop();
      await upstream.stop();
      await Promise.all([line.close(), redis.close()]);
      await database.close();
    });
    const sql = postgres(database.url ?? "", { max: 1, onnotice() {} });
    onTestFinished(() => sql.end());
    return { server, line, redis, upstream, sql };
  }

  const quietly = (work: Promise<unknown>) => work.catch((error: unknown) => error);

  test("are in no line of the log, in no file, on no page and in no refusal", async () => {
    const { server, line, redis, upstream, sql } = await open();
    const answers: string[] = [];
    const secrets = new Set<string>();
    const ask = async (address: string, init: RequestInit = {}) => {
      const response = await fetch(`${server.url}${address}`, init).catch(() => null);
      if (response) answers.push(`${JSON.stringify(Object.fromEntries(response.headers))} ${await response.text()}`);
    };
    const post = (procedure: string, json: unknown, headers: Record<string, string> = {}) =>
      ask(`/trpc/${procedure}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof json === "string" ? json : JSON.stringify({ json }),
      });

    // People: passwords, tokens, cookies, keys.
    const guest = server.client();
    const account = { email: "a@example.com", password };
    const registered = await guest.auth.register.mutate(account);
    if ("next" in registered) throw new Error("The account has to be verified first");
    const { accessToken = "", refreshToken = "" } = registered.tokens;
    const me = server.client(accessToken);
    const made = await me.apiKey.create.mutate({ name: "canary-name-of-key" });
    for (const secret of [accessToken, refreshToken, made.key]) secrets.add(secret);
    const signedIn = await fetch(`${server.url}/trpc/auth.login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url, "x-parley": "1" },
      body: JSON.stringify({ json: { identifier: account.email, password, cookie: true } }),
    });
    const cookies = signedIn.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "");
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies) secrets.add(cookie.slice(cookie.indexOf("=") + 1));
    await ask("/trpc/auth.me", { headers: { cookie: cookies.join("; "), "x-parley": "1", origin: server.url } });
    await ask("/trpc/auth.me", { headers: { "x-api-key": made.key } });

    // What strangers send.
    await quietly(guest.auth.login.mutate({ identifier: account.email, password: "canary-wrong-password" }));
    await quietly(guest.auth.requestPasswordReset.mutate({ email: account.email }));
    await quietly(guest.auth.resetPassword.mutate({ token: "canary-reset-token", newPassword: `${password}-new` }));
    await ask("/trpc/model.list?token=canary-query&input=%22canary-input%22");
    await ask("/nowhere?key=canary-query", { headers: { "x-canary": "canary-header", "user-agent": "canary-agent" } });
    await ask("/health?token=canary-query", { headers: { authorization: "Bearer canary-bearer" } });
    await ask("/trpc/auth.me", { headers: { authorization: "Bearer plk_canary", cookie: "parley_access=canary-cookie" } });
    await post("auth.login", '{"json":{"password":"canary-broken-json"');
    await post("auth.login", { identifier: ["canary"], password: { canary: "canary-wrong-type" } });
    await post("auth.nothing", { text: "canary-nowhere" });
    for (const query of ["?token=canary-query", "?connectionParams=1"]) {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/trpc${query}`);
      socket.on("error", () => {});
      await new Promise((resolve) => socket.once("open", resolve));
      socket.send(JSON.stringify({ method: "connectionParams", data: { token: "canary-socket-token" } }));
      socket.send('{"canary-frame');
      const params = { path: "chat.send", input: { json: { content: 7, clientMessageId: "canary-socket" } } };
      socket.send(JSON.stringify({ id: 1, method: "mutation", params }));
      await new Promise((resolve) => socket.once("message", resolve));
      socket.terminate();
    }

    // Vendors that quote what they were sent, and that break off in the middle of what people read.
    const sent = async (model: string, content: string) => {
      const { answer } = await me.chat.send.mutate({ clientMessageId: crypto.randomUUID(), content, model });
      const ended = async () => (await me.chat.run.query({ runId: answer?.runId ?? "" })).status;
      await expect.poll(ended, { timeout: 20_000 }).not.toBe("running");
    };
    await expect.poll(async () => (await me.model.list.query()).items.map(({ id }) => id)).toContain(models.local);
    const quoting = `You sent x-api-key: canary-claude-one, ${operators.ANTHROPIC_API_KEY_BACKUP} and Bearer canary-local`;
    upstream.otherwise({ refusal: { status: 401, message: quoting, headers: { "x-echo": quoting } } });
    await sent(models.claude, "canary-message, refused");
    await sent(models.gemini, "canary-message, refused");
    upstream.otherwise({ steps: [{ text: "canary-answer" }, { raw: 'data: {"canary-answer": broken\n\n' }] });
    await sent(models.local, "canary-message, broken");
    await Promise.all(["anthropic", "gemini", "openai"].map((provider) => quietly(me.model.test.mutate({ provider }))));

    // A database that refuses statements, with what they were to write, and one that is cut off.
    await sql.unsafe("alter table api_keys add constraint picky check (name not like 'canary%') not valid");
    await quietly(me.apiKey.create.mutate({ name: "canary-refused-by-the-database" }));
    await sql.unsafe("alter table messages rename to messages_away");
    await quietly(me.chat.send.mutate({ clientMessageId: "canary-id", content: "canary-message, without a table" }));
    await sql.unsafe("alter table messages_away rename to messages");
    await ask("/metrics", { headers: { authorization: `Bearer ${operators.METRICS_TOKEN}` } });
    await ask("/health", { headers: { authorization: `Bearer ${operators.METRICS_TOKEN}` } });
    // On workerd the driver goes on trying for minutes, and the call with it: nothing would be told within this test.
    if (!isWorker) {
      redis.cut();
      line.cut();
      await quietly(me.chat.send.mutate({ clientMessageId: "canary-away", content: "canary-message, without a database" }));
      await quietly(guest.auth.register.mutate({ email: "b@example.com", password: `${password}-2` }));
      await quietly(guest.auth.login.mutate({ identifier: account.email, password }));
      await ask("/health", { headers: { authorization: `Bearer ${operators.METRICS_TOKEN}` } });
    }
    const written = await server.written();
    const lines = written.split("\n").filter((text) => text.includes("{"));
    // It did all go wrong, and was told.
    for (const trouble of [
      "a model failed",
      "a call failed unexpectedly",
      "A letter could not be sent",
      ...(isWorker ? [] : ["Redis is away"]),
    ]) {
      expect(written).toContain(trouble);
    }
    if (!isWorker) expect(written).toContain('"reason":"unavailable"');
    for (const trouble of ["auth", "invalid_stream"]) expect(written).toContain(`"trouble":"${trouble}"`);
    expect(answers.join()).toContain('"checks"');
    expect(answers.join()).toContain("parley_call_duration_seconds");
    expect(lines.filter((text) => /canary/i.test(text))).toEqual([]);
    for (const secret of secrets) expect(lines.filter((text) => text.includes(secret))).toEqual([]);
    expect(answers.filter((text) => /canary/i.test(text))).toEqual([]);
    for (const text of lines.filter((text) => text.includes('"err"'))) expect(text.length).toBeLessThan(4_000);
  }, 120_000);
});
