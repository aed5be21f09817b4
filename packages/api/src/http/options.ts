import type { Services } from "@parley/core";
import type { AnyTRPCRouter } from "@trpc/server";
import type { Caller, Context } from "../context.ts";
import type { Exchange } from "./exchange.ts";

/** What the gate needs: the WebSocket upgrade passes it as well. */
export interface GateOptions {
  readonly environment: "production" | "development";
  /** Where people reach this server, when that is known. */
  readonly publicUrl: string | null;
  /** Origins that may read answers, with credentials. `*`: every origin, and then without credentials. */
  readonly corsOrigins: readonly string[];
  /** Empty: the names of localhost and the host of `publicUrl`. `*.example.com` takes subdomains, `*` takes any. */
  readonly allowedHosts: readonly string[];
  /** Addresses, CIDRs, and the words `loopback` and `private`. */
  readonly trustedProxies: readonly string[];
  readonly requireHttps: boolean;
  readonly requestId: () => string;
  /** Milliseconds with fractions, from any beginning: `performance.now` where there is one. */
  readonly now: () => number;
}

export interface ApiOptions extends GateOptions {
  readonly router: AnyTRPCRouter;
  /** Never throws for bad credentials. Cookies that a procedure sets go to `exchange.setCookies`. */
  readonly createContext: (caller: Caller, exchange: Exchange) => Promise<Context>;
  /** Also ends a stream when the caller's session or rights do. */
  readonly streamSignal?: (context: Context, signal: AbortSignal) => AbortSignal;
  /** The address of the peer, from what the runtime gives Hono as `c.env`. */
  readonly remoteAddress: (env: unknown) => string;
  readonly log: Services["log"];
  readonly version: string;
  readonly metricsToken: string | null;
  /** For Prometheus. */
  readonly metricsPage: () => string | Promise<string>;
  readonly checks: Pick<Services["checks"], "health" | "ready">;
  readonly onAnswer?: (status: number) => void;
  /** False where whoever stands before this server compresses; true without it. */
  readonly compresses?: boolean;
  /** On the clock of `now`. */
  readonly startedAt: number;
}
