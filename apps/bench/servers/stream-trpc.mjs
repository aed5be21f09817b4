// Minimal tRPC v11 relay: subscription as an async generator, over ws, and the same router over HTTP SSE (Hono).
// SRC=min: own parser; SRC=sdk: @anthropic-ai/sdk; SRC=ai: Vercel AI SDK textStream.
import { serve } from "@hono/node-server";
import { initTRPC } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { SOURCES } from "../lib/sources.mjs";

const source = await SOURCES[process.env.SRC ?? "min"]();
const t = initTRPC.create();
const router = t.router({
  stream: t.procedure.input(z.object({ prompt: z.string() })).subscription(async function* ({ signal }) {
    for await (const text of source(signal)) yield { text };
  }),
});
const app = new Hono();
app.all("/trpc/*", (c) => fetchRequestHandler({ endpoint: "/trpc", req: c.req.raw, router }));
const server = serve({ fetch: app.fetch, port: +process.env.PORT, hostname: "127.0.0.1" });
applyWSSHandler({ wss: new WebSocketServer({ server }), router });
