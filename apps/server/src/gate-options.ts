import type { GateOptions } from "@parley/api";
import type { Environment } from "./config/variables.ts";

/** `reached` says what stands before this runtime. */
export function gateOptionsOf(config: Environment, reached: Pick<GateOptions, "trustedProxies" | "requireHttps">): GateOptions {
  return {
    environment: config.NODE_ENV,
    publicUrl: config.PUBLIC_URL,
    corsOrigins: config.CORS_ORIGINS,
    allowedHosts: config.ALLOWED_HOSTS,
    ...reached,
    requestId: () => crypto.randomUUID(),
    now: () => performance.now(),
  };
}
