import { type Actor, AppError, type Services } from "@parley/core";
import { initTRPC, tracked } from "@trpc/server";
import type { Hono } from "hono";
import * as z from "zod";
import type { Caller, Context } from "../context.ts";
import { shapeError } from "../errors.ts";
import { transformer } from "../transformer.ts";
import { createApp } from "./app.ts";
import type { Exchange } from "./exchange.ts";
import { createGate } from "./gate.ts";
import type { ApiOptions } from "./options.ts";

export interface LogLine {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

const t = initTRPC.context<Context>().create({
  transformer,
  isDev: false,
  errorFormatter: ({ error, ctx, path }) => shapeError(error, ctx, path),
});

const signedIn = t.procedure.use(({ ctx, next }) => {
  if (ctx.refusal) throw ctx.refusal;
  if (!ctx.actor) throw new AppError("unauthenticated", "Sign in first");
  return next();
});

/** What was run, in order: a refused request must leave no trace here. */
export const ran: string[] = [];

export const testRouter = t.router({
  chat: t.router({
    echo: t.procedure.input(z.object({ text: z.string().max(2000), at: z.date().optional() })).query(({ input }) => input),
    send: t.procedure.input(z.object({ text: z.string() })).mutation(({ input }) => {
      ran.push(input.text);
      return { sent: input.text };
    }),
    clear: t.procedure.mutation(() => {
      ran.push("clear");
      return { cleared: true };
    }),
    count: t.procedure.input(z.object({ to: z.number() })).subscription(async function* ({ input }) {
      for (let number = 1; number <= input.to; number += 1) yield tracked(String(number), { number });
    }),
    forEver: t.procedure.subscription(async function* ({ signal }) {
      try {
        yield tracked("1", { number: 1 });
        await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      } finally {
        ran.push("left");
      }
    }),
  }),
  hello: t.procedure.query(() => "hello"),
  nothing: t.procedure.query(() => undefined),
  long: t.procedure.query(() => "long text ".repeat(400)),
  caller: t.procedure.query(({ ctx }) => ({
    address: ctx.origin.address,
    actor: ctx.actor?.userId ?? null,
    userAgent: ctx.origin.userAgent,
  })),
  me: signedIn.query(({ ctx }) => ({ userId: ctx.actor?.userId })),
  crash: t.procedure.query(() => {
    throw new Error("select secret from vault");
  }),
  mistake: t.procedure.query(() => {
    throw new TypeError("a secret of the code");
  }),
  limited: t.procedure.query(() => {
    throw new AppError("rate_limited", "Too many", { retryAfterMs: 1200 });
  }),
  stream: t.procedure.query(async function* () {
    yield "only streamed batches take this";
  }),
  unserializable: t.procedure.query(() => ({
    get text(): string {
      throw new Error("a secret of the code");
    },
  })),
});

export type TestRouter = typeof testRouter;

export function createTestLog(): { log: Services["log"]; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

/** `good` is signed in, every other token is refused. */
export async function createTestContext(log: Services["log"], caller: Caller, requestId: string): Promise<Context> {
  const { token, origin } = caller;
  const ada: Actor = {
    userId: "ada",
    sessionId: "one",
    permissions: [],
    plan: "free",
    budget: { tokens: null, micros: null },
    via: "session",
    scopes: null,
  };
  const actor = token === "good" ? ada : null;
  const refusal = token !== null && !actor ? new AppError("token_expired", "Sign in again") : null;
  return {
    services: { log } as Services,
    requestId,
    actor,
    refusal,
    origin,
    transport: { requestId, name: "http", traceparent: null, cookies: null, noteLimit() {}, noteCall() {} },
  };
}

export interface TestApp {
  app: Hono;
  lines: LogLine[];
  exchanges: Exchange[];
  /** Straight into the app, the peer's address beside it. */
  ask(url: string, init?: RequestInit, peer?: string): Promise<Response>;
}

export function createTestApp(overrides: Partial<ApiOptions> = {}): TestApp {
  const { log, lines } = createTestLog();
  const exchanges: Exchange[] = [];
  let requests = 0;
  const options: ApiOptions = {
    router: testRouter,
    createContext(caller, exchange) {
      exchanges.push(exchange);
      return createTestContext(log, caller, exchange.requestId);
    },
    remoteAddress: (env) => (typeof env === "object" && env && "peer" in env ? String(env.peer) : "192.0.2.1"),
    log,
    version: "1.2.3",
    environment: "production",
    publicUrl: null,
    corsOrigins: [],
    allowedHosts: [],
    trustedProxies: [],
    requireHttps: false,
    metricsToken: "metrics-token",
    metricsPage: () => "",
    checks: {
      health: async () => ({ status: "ok", checks: { database: { status: "ok", ms: 1 } } }),
      ready: async () => ({ status: "ok", checks: {} }),
    },
    startedAt: 0,
    requestId: () => `request-${++requests}`,
    now: () => 42_000,
    ...overrides,
  };
  const app = createApp(options, createGate(options));
  const ask = async (url: string, init?: RequestInit, peer = "192.0.2.1") =>
    app.fetch(new Request(url.startsWith("/") ? `http://localhost${url}` : url, init), { peer });
  return { app, lines, exchanges, ask };
}
