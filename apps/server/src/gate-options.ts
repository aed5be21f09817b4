import type { GateOptions } from "@parley/api";
import type { Environment } from "./config/variables.ts";

/** Nobody but a proxy can say that a request came over HTTPS. */
export function gateOptionsOf(config: Environment, trustedProxies: readonly string[]): GateOptions {
  return {
    environment: config.NODE_ENV,
    publicUrl: config.PUBLIC_URL,
    corsOrigins: config.CORS_ORIGINS,
    allowedHosts: config.ALLOWED_HOSTS,
    trustedProxies,
    requireHttps: trustedProxies.length > 0,
    requestId: () => crypto.randomUUID(),
    now: () => performance.now(),
  };
}
