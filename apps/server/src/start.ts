import { createServer, type Server } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createApp, createContext, createGate, createSocketHub, HttpTransport, router, type Transport } from "@parley/api";
import type { Model } from "@parley/contract";
import { createServices } from "@parley/core";
import type { Clock, Log, Mailer, Provider } from "@parley/core/ports";
import { argon2Passwords, nodeBackground, type OpenDatabase } from "@parley/platform/node";
import { logMailer, smtpMailer } from "@parley/platform/node/mail";
import { createIds, memoryCache, memoryEventLog, memoryRateLimiter } from "@parley/platform/shared";
import type { Environment } from "./config/variables.ts";
import { type Assets, openDatabase } from "./database.ts";
import { checkHealth, type HealthPart } from "./health.ts";
import { findOllama, openProviders } from "./providers.ts";
import { readSettings } from "./settings.ts";
import { serveSockets } from "./sockets.ts";

/** What a test or a benchmark puts in place of the usual. */
export interface Overrides {
  clock?: Clock;
  providers?: Provider[];
  mailer?: Mailer;
  openDatabase?: () => Promise<OpenDatabase>;
}

export interface RunningServer {
  url: string;
  database: OpenDatabase["kind"];
  redis: boolean;
  models: Model[];
  /** For the first account, while there is none. */
  setupCode: string | null;
  /** Stops taking calls, tells sockets to go elsewhere, lets answers finish for a while and saves the rest as they are. */
  stop(): Promise<void>;
}

const version = "0.1.0";
const sweepMs = 10_000;
/** A query travels in the address, and a letter of Hebrew takes six bytes there. */
const maxHeaderSize = 96 * 1_024;
const ollamaMs = 60_000;
/** The start waits so long for it, to name its models. */
const ollamaPatienceMs = 500;
const answersGraceMs = 20_000;
const saveGraceMs = 3_000;
const callsGraceMs = 4_000;

export async function startServer(
  config: Environment,
  { assets, log, overrides = {} }: { assets: Assets; log: Log; overrides?: Overrides },
): Promise<RunningServer> {
  const gateOptions = {
    environment: config.NODE_ENV,
    publicUrl: config.PUBLIC_URL,
    corsOrigins: config.CORS_ORIGINS,
    allowedHosts: config.ALLOWED_HOSTS,
    trustedProxies: config.TRUSTED_PROXIES,
    requireHttps: config.TRUSTED_PROXIES.length > 0,
    requestId: () => crypto.randomUUID(),
    now: () => performance.now(),
  };
  const gate = createGate(gateOptions);
  const clock = overrides.clock ?? { now: () => new Date() };
  const database = await (overrides.openDatabase ?? (() => openDatabase(config, assets)))();
  const redis = config.REDIS_URL ? await (await import("@parley/platform/node/redis")).openRedis(config.REDIS_URL, log) : null;
  const mail = await openMail(config, log);
  const background = nodeBackground(log);
  const eventLog = memoryEventLog(clock);
  background.every("sweep the event log", sweepMs, async () => eventLog.sweep());
  const services = createServices(
    {
      database: database.database,
      eventLog,
      providers: overrides.providers ?? (await openProviders(config)),
      passwords: argon2Passwords(),
      mailer: overrides.mailer ?? mail,
      rateLimiter: redis?.rateLimiter ?? memoryRateLimiter(),
      cache: memoryCache(clock),
      background,
      clock,
      ids: createIds(clock),
      log,
    },
    await readSettings(config, database.kind),
  );

  let isDraining = false;
  const parts: Record<string, HealthPart> = {
    database: { ping: database.ping, isNeeded: true },
    ...(redis && { redis: { ping: redis.ping, isNeeded: false } }),
  };
  const app = createApp(
    {
      ...gateOptions,
      router,
      createContext: (caller, exchange) => createContext(services, caller, new HttpTransport(exchange)),
      streamSignal: ({ actor }, signal) => services.access.until(actor, signal),
      remoteAddress: (env) => (env as HttpBindings).incoming.socket.remoteAddress ?? "",
      log,
      version,
      metricsToken: config.METRICS_TOKEN,
      health: () => checkHealth(parts, isDraining),
      startedAt: performance.now(),
    },
    gate,
  );
  const hub = createSocketHub({
    router,
    log,
    createContext: (caller) => createContext(services, caller, socketTransport),
    requestId: gateOptions.requestId,
  });
  services.access.onChange((change) => {
    if (change.kind === "session_ended") hub.endSession(change.sessionId);
    else if (change.kind === "rights_changed") hub.rightsChanged(change.userId);
  });
  const server = createServer({ requestTimeout: 60_000, maxHeaderSize }, getRequestListener(app.fetch));
  serveSockets(server, { gate, hub });
  let ollamaMayCome = config.OLLAMA_URL !== null && !overrides.providers;
  const lookForOllama = async () => {
    const provider = ollamaMayCome && config.OLLAMA_URL ? await findOllama(config.OLLAMA_URL) : null;
    if (!provider || !ollamaMayCome) return;
    ollamaMayCome = false;
    await services.models.add(provider);
  };
  // It may also be started after us.
  background.every("look for Ollama", ollamaMs, lookForOllama);
  const looked = within(ollamaPatienceMs, lookForOllama());
  if (config.DEFAULT_MODEL) await looked;
  await services.models.checkNames({ moreMayCome: ollamaMayCome });
  const url = await listen(server, config);
  await looked;

  return {
    url,
    database: database.kind,
    redis: redis !== null,
    models: services.models.list().items,
    setupCode: await services.auth.setupCode(),
    async stop() {
      isDraining = true;
      services.chat.runs.refuseNew();
      hub.broadcastReconnect();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await within(answersGraceMs, services.chat.runs.settled());
      services.chat.runs.interrupt();
      background.stop();
      await within(saveGraceMs, background.settled());
      eventLog.close();
      hub.closeAll(1012, "restarting");
      await within(callsGraceMs, closed);
      server.closeAllConnections();
      await mail.close();
      await redis?.close();
      await database.close();
    },
  };
}

async function openMail({ SMTP_URL, MAIL_FROM }: Environment, log: Log) {
  return SMTP_URL && MAIL_FROM ? smtpMailer({ url: SMTP_URL, from: MAIL_FROM, log }) : logMailer(log);
}

/** Each call of a socket gets a request id of its own. */
const socketTransport: Transport = { requestId: "", cookies: null, noteLimit() {} };

function listen(server: Server, { PORT, HOST }: Environment): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: PORT, host: HOST, backlog: 4_096 }, () => {
      server.off("error", reject);
      const bound = server.address();
      const port = typeof bound === "object" && bound ? bound.port : PORT;
      const host = HOST === "0.0.0.0" || HOST === "::" ? "localhost" : HOST.includes(":") ? `[${HOST}]` : HOST;
      resolve(`http://${host}:${port}`);
    });
  });
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, enough]);
  clearTimeout(timer);
}
