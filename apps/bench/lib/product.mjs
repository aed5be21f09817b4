// Our server as a target: how it is built, started and talked to.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { openServer } from "./postgres.mjs";
import { ROOT, temporaryFolder } from "./proc.mjs";

const workspace = path.join(ROOT, "../..");
const server = path.join(ROOT, "../server");
const build = path.join(ROOT, ".build");
const entries = { product: path.join(build, "product/node.js"), plain: path.join(build, "plain/node.js"), bench: path.join(build, "servers/parley.js"), token: path.join(build, "servers/token.js") };
export const upstreamScript = path.join(build, "servers/upstream.js");

/** Taken once a run, into a folder of its own: whoever builds meanwhile does not change what is measured. */
export function buildProduct() {
  if (!existsSync(path.join(server, "dist/node.js"))) throw new Error("the server is not built: start this with `npm run bench`");
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { recursive: true });
  symlinkSync(path.join(server, "node_modules"), path.join(build, "node_modules"), "dir");
  cpSync(path.join(server, "dist"), path.join(build, "product"), { recursive: true });
  const tsup = path.join(workspace, "node_modules/.bin/tsup");
  const result = spawnSync(tsup, [], { cwd: ROOT, encoding: "utf8" });
  if (result.status !== 0 || readdirSync(path.join(build, "servers")).length === 0) {
    throw new Error(`the bench's servers do not build\n${result.stdout}${result.stderr}`);
  }
  for (const asset of ["drizzle", "pglite-template.tar.gz"]) {
    cpSync(path.join(build, "product", asset), path.join(build, "plain", asset), { recursive: true });
  }
}

/** The same for all starts of a run: tokens outlive a restart. */
const secret = randomBytes(36).toString("base64url");
const settings = {
  NODE_ENV: "production",
  JWT_SECRET: secret,
  LOG_LEVEL: "warn",
  RATE_LIMIT_GENERAL: "off",
  RATE_LIMIT_GENERAL_GUEST: "off",
  RATE_LIMIT_CHAT: "off",
  RATE_LIMIT_SIGN_IN: "off",
  RATE_LIMIT_PROVIDER_REQUESTS: "off",
  RATE_LIMIT_PROVIDER_TOKENS: "off",
  OLLAMA_URL: "off",
  TASK_MODEL: "off",
};

/**
 * How to start it. `context` is kept for a target through a whole run: a second start finds the first one's data.
 * entry: `product` is what ships, `plain` the same without what counts and tells of calls, `bench` the same with the bench's provider; `file` is another build, for a try.
 */
export const startParley =
  ({ entry, database, redis = "", nodeArgs = [], file = entries[entry], logLevel = settings.LOG_LEVEL }) =>
  async (context) => {
    context.folder ??= temporaryFolder("data");
    if (database === "postgres") context.databaseUrl ??= await (await openServer()).createDatabase();
    const { folder, databaseUrl, upstream, controlPort } = context;
    return {
      // A log that is asked for is written, and nobody reads it.
      cmd:
        logLevel === settings.LOG_LEVEL
          ? [process.execPath, ...nodeArgs, file]
          : ["sh", "-c", 'exec "$0" "$@" > /dev/null', process.execPath, ...nodeArgs, file],
      cwd: folder,
      env: {
        ...settings,
        LOG_LEVEL: logLevel,
        DATA_DIR: path.join(folder, "parley"),
        DATABASE_URL: databaseUrl ?? "",
        REDIS_URL: redis,
        ...(upstream && { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: upstream, DEFAULT_MODEL: "claude-sonnet-4-5" }),
        ...(controlPort && { CONTROL_PORT: String(controlPort) }),
      },
    };
  };

export async function mutate(url, procedure, input, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${url}/trpc/${procedure}`, { method: "POST", headers, body: JSON.stringify({ json: input }) });
  const { result, error } = await response.json();
  if (error) throw new Error(`${procedure}: ${JSON.stringify(error)}`);
  return result.data.json;
}

export const password = "Correct-horse-battery-1";
export const emailOf = (index) => `user${index}@example.com`;

/** Accounts, a few at a time: their tokens. */
export async function signUp(url, count) {
  const tokens = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next++;
      const input = { email: emailOf(index), password, displayName: `User ${index}` };
      tokens[index] = (await mutate(url, "auth.register", input)).tokens.accessToken;
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return tokens;
}
