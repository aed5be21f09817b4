import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { anthropic } from "./anthropic.ts";
import type { ListedModel } from "./format.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import { play } from "./play.ts";
import { type Route, routeOf } from "./routes.ts";
import type { Script, UpstreamCall, Vendor } from "./script.ts";
import { createWheel } from "./wheel.ts";

const formats = { anthropic, gemini, openai };

export type Upstream = Awaited<ReturnType<typeof startUpstream>>;
export type UpstreamModels = readonly (string | ListedModel)[];

/** A server on this machine that speaks as Anthropic, Gemini, OpenAI and Ollama, and says what it was told to. */
export async function startUpstream({ port = 0 }: { port?: number } = {}) {
  const wheel = createWheel();
  const calls: UpstreamCall[] = [];
  const untaken: UpstreamCall[] = [];
  const queue: Script[] = [];
  const keys = new Map<string, Script>();
  const models = new Map<string, Script>();
  const lists: Record<Vendor | "ollama", ListedModel[]> = {
    anthropic: [{ id: "claude-sonnet-5" }],
    gemini: [{ id: "gemini-2.5-flash" }],
    openai: [{ id: "gpt-4o" }],
    ollama: [{ id: "llama3.2:latest" }],
  };
  let fallback: Script | null = null;
  let arrived = () => {};
  let arrival = nextArrival();
  let isStopping = false;

  function nextArrival() {
    return new Promise<void>((resolve) => {
      arrived = resolve;
    });
  }

  function scriptFor({ vendor, asked, kind }: Route, key: string | null): Script {
    const fixed = keys.get(key ?? "") ?? models.get(asked.model);
    if (fixed || kind === "models") return fixed ?? {};
    const hello = { steps: [{ text: `Hello from ${vendor}.` }], usage: { input: 10, output: 5 } };
    return queue.shift() ?? fallback ?? hello;
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const raw = await textOf(request);
    const route = routeOf(request, raw);
    if (!route) {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: `There is nothing at ${request.method} ${request.url}` } }));
      return;
    }
    const { vendor, kind, key, body, asked } = route;
    const gone = new AbortController();
    let isOwnDoing = false;
    const closed = new Promise<"finished" | "by-client">((resolve) => {
      response.once("close", () => {
        gone.abort();
        resolve(isOwnDoing || isStopping || response.writableFinished ? "finished" : "by-client");
      });
    });
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]));
    const call = { vendor, kind, path: request.url ?? "/", key, headers, body, closed };
    calls.push(call);
    untaken.push(call);
    arrived();
    arrival = nextArrival();

    const script = scriptFor(route, key);
    if (route.list && !script.refusal) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(route.list(lists)));
      return;
    }
    const ending = () => {
      isOwnDoing = true;
    };
    const stage = { response, wheel, format: formats[vendor], asked, gone: gone.signal, ending };
    await play(stage, script, route.isStreamed);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", backlog: 4_096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The upstream listens on no port");

  async function stop() {
    isStopping = true;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    script: (...scripts: Script[]) => void queue.push(...scripts),
    byKey: (key: string, script: Script) => void keys.set(key, script),
    byModel: (model: string, script: Script) => void models.set(model, script),
    otherwise(script: Script): void {
      fallback = script;
    },
    models(vendor: Vendor | "ollama", offered: UpstreamModels): void {
      lists[vendor] = offered.map((model) => (typeof model === "string" ? { id: model } : model));
    },
    /** The next call that has not been taken yet, of this vendor, kind or key if that matters. */
    async nextCall(wanted: Partial<Pick<UpstreamCall, "vendor" | "kind" | "key">> = {}): Promise<UpstreamCall> {
      for (;;) {
        const { vendor, kind, key } = wanted;
        const index = untaken.findIndex(
          (call) =>
            (vendor ?? call.vendor) === call.vendor && (kind ?? call.kind) === call.kind && (key ?? call.key) === call.key,
        );
        const [call] = index < 0 ? [] : untaken.splice(index, 1);
        if (call) return call;
        await arrival;
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
