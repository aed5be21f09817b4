import type { AppRouter } from "@parley/api/types";
import type { Provider } from "@parley/core/ports";
import { collectingLog, collectingMailer, migrationsFolder, openTestDatabase, testClock } from "@parley/testing";
import { createTRPCClient, createWSClient, httpBatchLink, type TRPCClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { WebSocket } from "ws";
import { readConfig } from "../src/config/config.ts";
import { startServer } from "../src/start.ts";
import { type Place, startWorkerd } from "./workerd.ts";

export type Client = TRPCClient<AppRouter>;
export type Transport = "http" | "websocket";

interface Options {
  /** `workerd`: the worker, on Postgres. Time is its own there, and a test's provider a vendor that it asks over HTTP. */
  database?: Place;
  env?: Record<string, string>;
  providers?: Provider[];
}

export const usual = {
  JWT_SECRET: "for-tests-only-0123456789-0123456789",
  RATE_LIMIT_GENERAL: "off",
  RATE_LIMIT_GENERAL_GUEST: "off",
  RATE_LIMIT_CHAT: "off",
  RATE_LIMIT_PRESENCE: "off",
  RATE_LIMIT_SIGN_IN: "off",
  RATE_LIMIT_PROVIDER_REQUESTS: "off",
  RATE_LIMIT_PROVIDER_TOKENS: "off",
  OLLAMA_URL: "off",
  TASK_MODEL: "off",
};

export function clientOf(url: string, token: string | null): Client {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${url}/trpc`, transformer: superjson, headers })] });
}

/** A whole server on a fresh database, spoken to over the network by the official client. */
export async function testApp({ database: kind = "pglite", env = {}, providers }: Options = {}) {
  const isWorkerd = kind === "workerd";
  const database = await openTestDatabase(isWorkerd ? "postgres" : kind);
  const clock = testClock();
  const log = collectingLog();
  const variables = { PORT: "0", ...usual, ...env };
  const assets = { migrations: migrationsFolder, pgliteTemplate: null };
  const letters = collectingMailer();
  const overrides = { clock, mailer: letters.mailer, openDatabase: async () => database, ...(providers && { providers }) };
  const server = isWorkerd
    ? await startWorkerd({ database, variables, ...(providers && { providers }), onLine: (line) => log.lines.push(line) })
    : await startServer(readConfig(variables), { assets, log, overrides });
  const { url } = server;
  const socketUrl = `${url.replace("http", "ws")}/trpc`;
  const closers: (() => Promise<void>)[] = [];
  let people = 0;
  const first = { email: "" };

  function client(token: string | null, transport: Transport = "http"): Client {
    if (transport === "http") return clientOf(url, token);
    const socket = createWSClient({
      url: socketUrl,
      WebSocket: WebSocket as never,
      connectionParams: token === null ? {} : { token },
      retryDelayMs: () => 20,
    });
    closers.push(() => socket.close());
    return createTRPCClient<AppRouter>({ links: [wsLink({ client: socket, transformer: superjson })] });
  }

  async function stop() {
    await Promise.all(closers.map((close) => close()));
    await server.stop();
  }

  return {
    url,
    socketUrl,
    server,
    database,
    clock,
    log,
    letters,
    /** Who registered first, and is the admin. */
    first,
    client,
    /** Someone new, signed in. */
    async person(transport: Transport = "http") {
      const email = `person-${++people}-${Math.random().toString(36).slice(2)}@example.com`;
      const password = "Correct-horse-1";
      if (people === 1) first.email = email;
      const registered = await client(null).auth.register.mutate({ email, password });
      if ("next" in registered) throw new Error("The account has to be verified first");
      const { user, session, tokens } = registered;
      const token = tokens.accessToken ?? "";
      return { user, session, email, password, token, tokens, api: client(token, transport) };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export type Person = Awaited<ReturnType<TestApp["person"]>>;
export type TestApp = Awaited<ReturnType<typeof testApp>>;
