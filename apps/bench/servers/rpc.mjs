// RPC peers: node servers/rpc.mjs <kind>. All answer "hello world"; the jwt ones check one HS256 token a request.
import http from "node:http";
import { JWT_KEY } from "../lib/jwt.mjs";

const port = +process.env.PORT,
  kind = process.argv[2],
  host = "127.0.0.1";

async function trpcRouter(jwt) {
  const { initTRPC, TRPCError } = await import("@trpc/server");
  const { z } = await import("zod");
  const t = initTRPC.context().create();
  const proc = jwt
    ? t.procedure.use(({ ctx, next }) => {
        if (!ctx.user) throw new TRPCError({ code: "UNAUTHORIZED" });
        return next({ ctx });
      })
    : t.procedure;
  return t.router({
    hello: proc.input(z.object({ name: z.string() })).query(({ input }) => ({ greeting: `hello ${input.name}` })),
  });
}
async function honoServe(app) {
  const { serve } = await import("@hono/node-server");
  serve({ fetch: app.fetch, port, hostname: host });
}

const kinds = {
  async raw() {
    http
      .createServer((req, res) => {
        const name = new URLSearchParams(req.url.slice(req.url.indexOf("?") + 1)).get("name");
        const b = JSON.stringify({ greeting: `hello ${name}` });
        res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(b) });
        res.end(b);
      })
      .listen(port, host);
  },
  async hono() {
    const { Hono } = await import("hono");
    const app = new Hono();
    app.get("/hello", (c) => c.json({ greeting: `hello ${c.req.query("name")}` }));
    await honoServe(app);
  },
  async "hono-trpc"() {
    const { Hono } = await import("hono");
    const { fetchRequestHandler } = await import("@trpc/server/adapters/fetch");
    const router = await trpcRouter(),
      app = new Hono();
    app.all("/trpc/*", (c) => fetchRequestHandler({ endpoint: "/trpc", req: c.req.raw, router }));
    await honoServe(app);
  },
  async "hono-trpc-jwt"() {
    const { Hono } = await import("hono");
    const { fetchRequestHandler } = await import("@trpc/server/adapters/fetch");
    const { jwtVerify } = await import("jose");
    const key = await crypto.subtle.importKey("raw", JWT_KEY, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]); // imported once: jose's fastest way
    const router = await trpcRouter(true),
      app = new Hono();
    const createContext = async ({ req }) => {
      try {
        return {
          user: (await jwtVerify(req.headers.get("authorization")?.slice(7) ?? "", key, { algorithms: ["HS256"] })).payload.sub,
        };
      } catch {
        return {};
      }
    };
    app.all("/trpc/*", (c) => fetchRequestHandler({ endpoint: "/trpc", req: c.req.raw, router, createContext }));
    await honoServe(app);
  },
  // The floor of tRPC over Hono: the same router and envelope, called directly instead of through tRPC's HTTP resolver.
  async "hono-trpc-caller"() {
    const { Hono } = await import("hono");
    const { callTRPCProcedure } = await import("@trpc/server");
    const router = await trpcRouter(),
      app = new Hono();
    app.get("/trpc/:path", async (c) => {
      const data = await callTRPCProcedure({
        router,
        path: c.req.param("path"),
        getRawInput: async () => JSON.parse(c.req.query("input")),
        ctx: {},
        type: "query",
        signal: undefined,
        batchIndex: 0,
      });
      return c.json({ result: { data } });
    });
    await honoServe(app);
  },
  async "trpc-node-http"() {
    const { createHTTPServer } = await import("@trpc/server/adapters/standalone");
    createHTTPServer({ router: await trpcRouter() }).listen(port, host);
  },
  async fastify() {
    const app = (await import("fastify")).default();
    app.get(
      "/hello",
      { schema: { response: { 200: { type: "object", properties: { greeting: { type: "string" } } } } } },
      async (req) => ({ greeting: `hello ${req.query.name}` }),
    );
    await app.listen({ port, host });
  },
  async "fastify-trpc"() {
    const app = (await import("fastify")).default({ routerOptions: { maxParamLength: 5000 } });
    const { fastifyTRPCPlugin } = await import("@trpc/server/adapters/fastify");
    app.register(fastifyTRPCPlugin, { prefix: "/trpc", trpcOptions: { router: await trpcRouter() } });
    await app.listen({ port, host });
  },
  async express() {
    const express = (await import("express")).default,
      app = express();
    app.use(express.json());
    app.get("/hello", (req, res) => res.json({ greeting: `hello ${req.query.name}` }));
    app.listen(port, host);
  },
  async "express-passport-jwt"() {
    const express = (await import("express")).default,
      passport = (await import("passport")).default,
      { Strategy, ExtractJwt } = (await import("passport-jwt")).default,
      app = express();
    passport.use(
      new Strategy(
        { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: Buffer.from(JWT_KEY), algorithms: ["HS256"] },
        (p, done) => done(null, { id: p.sub }),
      ),
    );
    app.use(express.json());
    app.use(passport.initialize());
    app.get("/hello", passport.authenticate("jwt", { session: false }), (req, res) =>
      res.json({ greeting: `hello ${req.query.name}` }),
    );
    app.listen(port, host);
  },
};
await kinds[kind]();
