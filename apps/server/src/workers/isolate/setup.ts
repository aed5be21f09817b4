import { createGate } from "@parley/api";
import { changedRules, createMemory } from "@parley/core";
import type { Clock } from "@parley/core/ports";
import { createIds, scopes } from "@parley/platform/shared";
import { consoleLog, createCacheMemory, workerSystem } from "@parley/platform/workers";
import { wasmPasswords } from "@parley/platform/workers/passwords";
import { ConfigError, readConfig } from "../../config/config.ts";
import { secretsOf } from "../../config/secrets.ts";
import { gateOptionsOf } from "../../gate-options.ts";
import { openProviders } from "../../providers.ts";
import { settingsOf } from "../../settings.ts";
import type { Bindings } from "../bindings.ts";
import { openEdgeTelemetry } from "./edge-telemetry.ts";
import { createHandingOn } from "./handing-on.ts";
import { pacedFetch } from "./paced-fetch.ts";

/** Nobody can say whence a request comes but the platform: there are no proxies to trust. */
export const peerOf = (request: Request): string => request.headers.get("cf-connecting-ip") ?? "";

/** As Node reads them from its environment. */
export function variablesOf(bindings: Bindings): Record<string, string> {
  const texts = Object.entries(bindings).filter(([, value]) => typeof value === "string");
  return { ...Object.fromEntries(texts), DATABASE_URL: bindings.HYPERDRIVE.connectionString };
}

export type Setup = Awaited<ReturnType<typeof readSetup>>;

/** All that holds no connection. */
export async function readSetup(bindings: Bindings) {
  const variables = variablesOf(bindings);
  const config = readConfig(variables);
  if (config.JWT_SECRET.length === 0) {
    throw new ConfigError("JWT_SECRET is not set: a worker has nowhere to keep one of its own (wrangler secret put JWT_SECRET)");
  }
  if (config.SMTP_URL) throw new ConfigError("SMTP_URL is set, but a worker cannot speak SMTP: set MAIL_API_URL instead");
  const plainLog = consoleLog({
    level: config.LOG_LEVEL,
    secrets: secretsOf(variables),
  });
  const node = config.NODE_NAME ?? "workers";
  const telemetry = openEdgeTelemetry(config, { log: plainLog, scopes, node });
  const { log, tracer } = telemetry;
  const memory = createMemory();
  const clock: Clock = { now: () => new Date() };
  const gateOptions = gateOptionsOf(config, { trustedProxies: [], requireHttps: true });
  return {
    config,
    log,
    clock,
    gateOptions,
    gate: createGate(gateOptions),
    ids: createIds(clock),
    passwords: await wasmPasswords(),
    providers: await openProviders(config, pacedFetch),
    scopes,
    system: workerSystem(node),
    tracer,
    memory,
    handingOn: createHandingOn({ memory, telemetry, log }),
    cacheMemory: createCacheMemory(),
    settings: settingsOf(config, {
      jwtSecrets: config.JWT_SECRET,
      modelOverrides: [],
      alertRules: changedRules({}),
      soleWriter: false,
    }),
  };
}
