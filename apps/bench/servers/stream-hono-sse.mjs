// Hono SSE. MODE=aisdk: streamText(...).toUIMessageStreamResponse(), the Vercel AI SDK's own way; MODE=sdk: @anthropic-ai/sdk + streamSSE.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { UPSTREAM } from "../lib/anthropic-min.mjs";
import { SOURCES } from "../lib/sources.mjs";

const app = new Hono();
if (process.env.MODE === "aisdk") {
  const { streamText, convertToModelMessages } = await import("ai");
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  const model = createAnthropic({ apiKey: "k", baseURL: `${UPSTREAM}/v1` })("claude-sonnet-4-5");
  app.post("/chat", async (c) => {
    const { messages } = await c.req.json();
    return streamText({
      model,
      messages: await convertToModelMessages(messages),
      abortSignal: c.req.raw.signal,
      maxRetries: 0,
      onError() {},
    }).toUIMessageStreamResponse();
  });
} else {
  const source = await SOURCES[process.env.SRC ?? "sdk"]();
  app.post("/chat", async (c) => {
    await c.req.json();
    return streamSSE(c, async (s) => {
      const ac = new AbortController();
      s.onAbort(() => ac.abort());
      for await (const text of source(ac.signal)) await s.writeSSE({ data: JSON.stringify({ text }) });
    });
  });
}
serve({ fetch: app.fetch, port: +process.env.PORT, hostname: "127.0.0.1" });
