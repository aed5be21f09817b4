import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import type { Model } from "@parley/contract";
import { pinoLog } from "@parley/platform/node";
import { createScrub } from "@parley/platform/scrub";
import { readConfig } from "./config/config.ts";
import { secretsOf } from "./config/secrets.ts";
import { type Environment, notConnected } from "./config/variables.ts";
import { type RunningServer, startServer } from "./start.ts";

/** For what comes after the grace: saving, closing. */
const closeMs = 10_000;
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

if (existsSync(".env")) process.loadEnvFile(".env");
const secrets = secretsOf(process.env);
const scrub = createScrub(secrets);

try {
  await main();
} catch (error) {
  // One line for the person who starts it; the stack for whoever asks for it.
  console.error(scrub(process.env.LOG_LEVEL === "debug" ? inspect(error) : describeFailure(error)));
  process.exit(1);
}

async function main() {
  const config = readConfig(process.env);
  const log = pinoLog({ level: config.LOG_LEVEL, folder: config.LOG_DIR, secrets });
  const template = beside("./pglite-template.tar.gz");
  const assets = { migrations: beside("./drizzle"), pgliteTemplate: existsSync(template) ? template : null };
  const server = await startServer(config, { assets, log });
  process.stdout.write(describe(server, config));
  const silent = notConnected.filter((name) => process.env[name]);
  if (silent.length > 0) log.warn({ variables: silent }, "these variables do nothing in this version");

  let isStopping = false;
  const stop = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    // Whatever hangs, the process ends.
    setTimeout(() => process.exit(1), config.SHUTDOWN_GRACE + closeMs).unref();
    await server.stop();
    log.flush();
    process.exit(code);
  };
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  for (const kind of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(kind, (error: unknown) => {
      log.crash(kind, error);
      server.log.error({ err: error, kind }, "the process is in an unknown state and stops");
      void stop(1);
    });
  }
}

function describe({ url, database, redis, models, setupCode }: RunningServer, config: Environment): string {
  const where = database === "pglite" ? `embedded Postgres in ${config.DATA_DIR} (set DATABASE_URL for your own)` : "Postgres";
  return [
    `Parley    ${url}`,
    `Database  ${where}${redis ? ", limits in Redis" : ""}`,
    `Models    ${describeModels(models)}`,
    ...(setupCode ? [`Set-up    ${setupCode} makes the first account from another machine`] : []),
    "",
  ].join("\n");
}

function describeModels(models: readonly Model[]): string {
  const usual = models.find(({ isDefault }) => isDefault);
  if (!usual) return "none";
  if (usual.provider === "demo") {
    return "demo (a demonstration: set ANTHROPIC_API_KEY, GOOGLE_AI_API_KEY or OPENAI_COMPATIBLE_BASE_URL, or run Ollama)";
  }
  const counts = new Map<string, number>();
  for (const { provider } of models) counts.set(provider, (counts.get(provider) ?? 0) + 1);
  const offered = Array.from(counts, ([provider, count]) => `${count} of ${provider}`).join(", ");
  return `${usual.id} by default (${offered})`;
}

function describeFailure(error: unknown): string {
  const messages: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && messages.length < 3; cause = cause.cause) {
    const code =
      "code" in cause && typeof cause.code === "string" && !cause.message.includes(cause.code) ? ` (${cause.code})` : "";
    messages.push(`${cause.message.split("\n", 1)[0] || cause.name}${code}`);
  }
  return messages.join(": ") || String(error);
}
