import { createServer, type Server } from "node:http";
import { hostname } from "node:os";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createApp, createContext, createGate, createSocketHub, HttpTransport, router } from "@parley/api";
import { exposed } from "@parley/api/exposition";
import type { Model } from "@parley/contract";
import { createMemory, createServices } from "@parley/core";
import type { Clock, Log, Mailer, Provider } from "@parley/core/ports";
import { argon2Passwords, nodeBackground, nodeFetch, nodeSystem, type OpenDatabase } from "@parley/platform/node";
import { smtpMailer } from "@parley/platform/node/mail";
import { createIds, memoryCache, memoryRateLimiter, scopes, within } from "@parley/platform/shared";
import { alertChannels } from "./alert-channels.ts";
import type { Environment } from "./config/variables.ts";
import { type Assets, openDatabase } from "./database.ts";
import { openEventLog } from "./event-log.ts";
import { gateOptionsOf } from "./gate-options.ts";
import { openMailer } from "./mailer.ts";
import { readSettings } from "./node-settings.ts";
import { findOllama, openProviders } from "./providers.ts";
import { socketTransport } from "./socket-transport.ts";
import { serveSockets } from "./sockets.ts";
import { openTelemetry } from "./telemetry.ts";
import { version } from "./version.ts";

/** What a test or a benchmark puts in place of the usual. */
export interface Overrides {
  clock?: Clock;
  providers?: Provider[];
  mailer?: Mailer;
  background?: ReturnType<typeof nodeBackground>;
  openDatabase?: () => Promise<OpenDatabase>;
  system?: ReturnType<typeof nodeSystem>;
}

export interface RunningServer {
  url: string;
  database: OpenDatabase["kind"];
  redis: boolean;
  models: Model[];
  /** For the first account, while there is none. */
  setupCode: string | null;
  /** What it says of errors is also reported, where that was asked for. */
  log: Log;
  /** Stops taking calls, tells sockets to go elsewhere, lets answers finish for a while and saves the rest as they are. */
  stop(): Promise<void>;
}

const sweepMs = 10_000;
/** A query travels in the address, and a letter of Hebrew takes six bytes there. */
const maxHeaderSize = 96 * 1_024;
const ollamaMs = 60_000;
/** The start waits so long for it, to name its models. */
const ollamaPatienceMs = 500;
const saveGraceMs = 3_000;
const callsGraceMs = 4_000;
const telemetryGraceMs = 2_000;

export async function startServer(
  config: Environment,
  { assets, log: plainLog, overrides = {} }: { assets: Assets; log: Log; overrides?: Overrides },
): Promise<RunningServer> {
  const telemetry = await openTelemetry(config, { log: plainLog, scopes, node: nodeName(config) });
  const { log, tracer } = telemetry;
  const { TRUSTED_PROXIES: trustedProxies } = config;
  // Nobody but a proxy can say that a request came over HTTPS.
  const gateOptions = gateOptionsOf(config, { trustedProxies, requireHttps: trustedProxies.length > 0 });
  const gate = createGate(gateOptions);
  const clock = overrides.clock ?? { now: () => new Date() };
  const database = await (overrides.openDatabase ?? (() => openDatabase(config, assets)))();
  const redis = config.REDIS_URL ? await (await import("@parley/platform/node/redis")).openRedis(config.REDIS_URL, log) : null;
  const mail = await openMail(config, log);
  const background = overrides.background ?? nodeBackground(log);
  const eventLog = await openEventLog({ database, redis, clock, log });
  background.every("sweep the event log", sweepMs, async () => eventLog.sweep());
  const system = overrides.system ?? nodeSystem({ node: nodeName(config), dataFolder: config.DATA_DIR });
  const services = createServices(
    {
      database: database.database,
      eventLog,
      providers: overrides.providers ?? (await openProviders(config, nodeFetch())),
      passwords: argon2Passwords(),
      mailer: overrides.mailer ?? mail,
      rateLimiter: redis?.rateLimiter ?? memoryRateLimiter(),
      cache: (await redis?.openCache()) ?? memoryCache(clock),
      background,
      clock,
      ids: createIds(clock),
      log,
      scopes,
      system,
      dependencies: [
        { name: "database", isNeeded: true, ping: database.ping, isMigrated: database.isMigrated },
        ...(redis ? [{ name: "redis" as const, isNeeded: false, ping: redis.ping }] : []),
      ],
      channels: alertChannels(config, { mailer: overrides.mailer ?? mail, node: system.node, clock }),
      tracer,
    },
    await readSettings(config, database.kind),
    createMemory(),
  );

  const { meters, gauges } = services;
  const connections = { name: "parley_database_connections", help: "Statements that can run at once; others wait" };
  gauges.gauge(connections, () => [{ labels: [], value: database.connections }]);

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
      metricsPage: () => exposed([...meters.instruments.all, ...gauges.all]),
      onAnswer: (status) => meters.requests.add(1, String(status)),
      checks: services.checks,
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
  services.sampler.include(() => {
    const { connections, subscriptions } = hub.counts();
    return { sockets: connections, subscriptions };
  });
  services.access.onChange(hub.accessChanged);
  const server = createServer({ requestTimeout: 60_000, maxHeaderSize }, getRequestListener(app.fetch));
  // Whoever holds a connection to a server that is about to stop goes elsewhere with the next call.
  server.prependListener("request", (_, response) => {
    if (services.checks.isDraining()) response.shouldKeepAlive = false;
  });
  serveSockets(server, { gate, hub, log });
  let ollamaMayCome = config.OLLAMA_URL !== null && !overrides.providers;
  const lookForOllama = async () => {
    const provider = ollamaMayCome && config.OLLAMA_URL ? await findOllama(config.OLLAMA_URL, nodeFetch()) : null;
    if (!provider || !ollamaMayCome) return;
    ollamaMayCome = false;
    await services.models.add(provider);
  };
  // It may also be started after us.
  background.every("look for Ollama", ollamaMs, lookForOllama);
  const looked = within(ollamaPatienceMs, lookForOllama());
  if (config.DEFAULT_MODEL || !["same", "off"].includes(config.TASK_MODEL)) await looked;
  await services.models.checkNames({ moreMayCome: ollamaMayCome });
  const url = await listen(server, config);
  await looked;

  return {
    url,
    database: database.kind,
    redis: redis !== null,
    models: services.models.list().items,
    setupCode: await services.auth.setupCode(),
    log,
    async stop() {
      services.checks.drain();
      services.runs.refuseNew();
      hub.broadcastReconnect();
      // Until then calls are answered, so that load balancers hear that no more are wanted, and readers see the end.
      await within(config.SHUTDOWN_GRACE, services.runs.settled());
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      services.interrupt();
      background.stop();
      system.close();
      await within(saveGraceMs, background.settled());
      await eventLog.close();
      hub.closeAll("restarting");
      await within(callsGraceMs, closed);
      await within(saveGraceMs, services.sampler.finish());
      server.closeAllConnections();
      await mail.close();
      await redis?.close();
      await database.close();
      await telemetry.close(telemetryGraceMs);
    },
  };
}

async function openMail(config: Environment, log: Log) {
  const { SMTP_URL, MAIL_FROM } = config;
  return SMTP_URL && MAIL_FROM ? smtpMailer({ url: SMTP_URL, from: MAIL_FROM, log }) : openMailer(config, log);
}

/** The same after a restart, and another for each process of a machine. */
function nodeName({ NODE_NAME, PORT }: Environment): string {
  return NODE_NAME ?? `${hostname()}:${PORT === 0 ? process.pid : PORT}`;
}

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
