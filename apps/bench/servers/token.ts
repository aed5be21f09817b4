// The path of a token and nothing else: the vendor's bytes, through our own parts, to sockets that only count. `read` is the
// floor: the same bytes, read and let go. Driven over IPC by suites/token.mjs.
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { createContext, createSocketHub, router, type Socket } from "../../../packages/api/src/index.ts";
import { createMemory, createServices } from "../../../packages/core/src/index.ts";
import { argon2Passwords, nodeBackground, nodeFetch, nodeSystem, pinoLog } from "../../../packages/platform/src/node/index.ts";
import { createIds, logMailer, memoryCache, memoryEventLog, memoryRateLimiter, scopes } from "../../../packages/platform/src/shared/index.ts";
import { readConfig } from "../../server/src/config/config.ts";
import { openDatabase } from "../../server/src/database.ts";
import { readSettings } from "../../server/src/node-settings.ts";
import { openProviders } from "../../server/src/providers.ts";
import { openTelemetry } from "../../server/src/telemetry.ts";

const origin = { address: "127.0.0.1", userAgent: null, isLocal: true };
const sockets: CountingSocket[] = [];
let chunks = 0;

class CountingSocket implements Socket {
  readonly bufferedAmount = 0;
  frames = 0;
  last = "";
  readonly #first: (text: string) => void;

  constructor(first: (text: string) => void) {
    this.#first = first;
    sockets.push(this);
  }

  send(text: string) {
    this.last = text;
    if (this.frames++ === 0) this.#first(text);
  }

  /** How far its answer has got. */
  characters(): number {
    const [, offset = "0", text = ""] = /"offset":(\d+),"text":"([^"]*)"/.exec(this.last) ?? [];
    return Number(offset) + text.length;
  }

  close() {}
  terminate() {}
}

async function openParley(streams: number) {
  const config = readConfig(process.env);
  const log = pinoLog({ level: config.LOG_LEVEL, folder: null, secrets: [] });
  const telemetry = await openTelemetry(config, { log, scopes, node: "bench" });
  const clock = { now: () => new Date() };
  const migrations = fileURLToPath(new URL("../product/drizzle", import.meta.url));
  const { database, kind } = await openDatabase(config, { migrations, pgliteTemplate: null });
  const services = createServices(
    {
      database,
      eventLog: memoryEventLog(clock),
      providers: await openProviders(config, nodeFetch()),
      passwords: argon2Passwords(),
      mailer: logMailer(log),
      rateLimiter: memoryRateLimiter(),
      cache: memoryCache(clock),
      background: nodeBackground(log),
      clock,
      ids: createIds(clock),
      log,
      scopes,
      system: nodeSystem({ node: "bench", dataFolder: null }),
      dependencies: [],
      channels: [],
      tracer: telemetry.tracer,
    },
    await readSettings(config, kind),
    createMemory(),
  );
  const hub = createSocketHub({
    router,
    log,
    createContext: (caller) => createContext(services, caller, { requestId: "", name: "websocket", traceparent: null, cookies: null, noteLimit() {}, noteCall() {} }),
    requestId: () => "",
  });
  const registered = await services.auth.register({ email: `token-${crypto.randomUUID()}@example.com`, password: "Correct-horse-battery-1" }, origin);
  if ("next" in registered) throw new Error("The account has to be verified first");
  const token = registered.tokens.accessToken;
  const say = (id: number, method: string, path: string, json: object) =>
    JSON.stringify({ id, method, params: { path, input: { json } } });
  for (let index = 0; index < streams; index++) {
    const connection = hub.open(
      new CountingSocket((text) => {
        const [, runId] = /"runId":"([0-9a-f-]{36})"/.exec(text) ?? [];
        connection.message(say(2, "subscription", "chat.follow", { runId }));
      }),
      { origin, token, expectsConnectionParams: false },
    );
    connection.message(say(1, "mutation", "chat.send", { content: "Hello", clientMessageId: `token-${index}` }));
  }
}

function openRead(streams: number) {
  for (let index = 0; index < streams; index++) {
    request(`${process.env.ANTHROPIC_BASE_URL}/v1/messages`, { method: "POST" }, (response) => {
      response.on("data", () => {
        chunks++;
      });
    }).end(JSON.stringify({ model: "claude-sonnet-4-5", stream: true, messages: [] }));
  }
}

const isRead = process.env.TOKEN_PATH === "read";

function sample() {
  const { user, system } = process.cpuUsage();
  const frames = isRead ? chunks : sockets.reduce((sum, socket) => sum + socket.frames, 0);
  const characters = sockets.reduce((sum, socket) => sum + socket.characters(), 0);
  return { cpu: user + system, heap: process.memoryUsage().heapUsed, frames, characters };
}

async function measure(milliseconds: number, charactersPerToken: number) {
  globalThis.gc?.();
  const before = sample();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const after = sample();
  const frames = after.frames - before.frames;
  const tokens = isRead ? frames : (after.characters - before.characters) / charactersPerToken;
  return { cpu: after.cpu - before.cpu, allocated: after.heap - before.heap, frames, tokens };
}

type Command = { streams: number } | { milliseconds: number; characters: number };

process.on("message", async (command: Command) => {
  if ("milliseconds" in command) process.send?.(await measure(command.milliseconds, command.characters));
  else {
    await (isRead ? openRead(command.streams) : openParley(command.streams));
    process.send?.({});
  }
});
process.on("disconnect", () => process.exit(0));
