import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { listenLocally } from "../listening.ts";
import { anthropic } from "./anthropic.ts";
import { createCalls } from "./calls.ts";
import type { ListedModel } from "./format.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import { play } from "./play.ts";
import { type Route, routeOf } from "./routes.ts";
import type { Script, Vendor } from "./script.ts";
import { createWheel } from "./wheel.ts";

export type Upstream = Awaited<ReturnType<typeof startUpstream>>;

const formats = { anthropic, gemini, openai };

/** A server on this machine that speaks as Anthropic, Gemini, OpenAI and Ollama, and says what it was told to. */
export async function startUpstream({ port = 0, keepsCalls = true }: { port?: number; keepsCalls?: boolean } = {}) {
  const wheel = createWheel();
  const calls = createCalls();
  const scripts: Script[] = [];
  const scriptsByKey = new Map<string, Script>();
  const scriptsByModel = new Map<string, Script>();
  let otherwise: Script | null = null;
  let isStopping = false;
  const lists: Record<Vendor | "ollama", ListedModel[]> = {
    anthropic: [{ id: "claude-sonnet-5" }],
    gemini: [{ id: "gemini-2.5-flash" }],
    openai: [{ id: "gpt-4o" }],
    ollama: [{ id: "llama3.2:latest" }],
  };

  function scriptFor({ vendor, kind, key, asked }: Route): Script {
    const fixed = scriptsByKey.get(key ?? "") ?? scriptsByModel.get(asked.model);
    if (fixed || kind === "models") return fixed ?? {};
    const hello = { steps: [{ text: `Hello from ${vendor}.` }], usage: { input: 10, output: 5 } };
    return scripts.shift() ?? otherwise ?? hello;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeOf(request, await textOf(request));
    if (!route) {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: `There is nothing at ${request.method} ${request.url}` } }));
      return;
    }
    const { vendor, kind, key, body, asked, list, isStreamed } = route;
    const gone = new AbortController();
    let isOwnDoing = false;
    const closed = new Promise<"finished" | "by-client">((resolve) => {
      response.once("close", () => {
        gone.abort();
        resolve(isOwnDoing || isStopping || response.writableFinished ? "finished" : "by-client");
      });
    });
    if (keepsCalls) {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]));
      calls.arrived({ vendor, kind, path: request.url ?? "/", key, headers, body, closed });
    }

    const script = scriptFor(route);
    const format = formats[vendor];
    const whole = list ? () => list(lists) : () => format.whole(script, asked);
    const ending = () => {
      isOwnDoing = true;
    };
    await play({ response, wheel, format, asked, gone: gone.signal, ending, ...(!isStreamed && { whole }) }, script);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // Gone before it had asked. Anything else is a mistake in a script, and should fail the test.
      if (!request.destroyed || request.complete) throw error;
    });
  });
  server.keepAliveTimeout = 60_000;
  const { url } = await listenLocally(server, { port, backlog: 4_096 });

  async function stop(): Promise<void> {
    isStopping = true;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  return {
    /** OpenAI's base is this and `/v1`. */
    url,
    /** Everything that arrived. */
    calls: calls.all,
    /** The next call that has not been taken yet, of this vendor, kind or key where that matters. */
    nextCall: calls.next,
    /** What the next calls for answers get, one each. */
    script: (...next: Script[]): void => void scripts.push(...next),
    /** What every call with this key gets, before all else; "" is no key. A list of models keeps its content. */
    byKey: (key: string, script: Script): void => void scriptsByKey.set(key, script),
    byModel: (model: string, script: Script): void => void scriptsByModel.set(model, script),
    /** What calls get that nothing was scripted for. */
    otherwise(script: Script): void {
      otherwise = script;
    },
    /** Forgets every script, and the calls that nobody has taken; the lists of models stay. */
    reset(): void {
      calls.forget();
      scripts.length = 0;
      scriptsByKey.clear();
      scriptsByModel.clear();
      otherwise = null;
    },
    models(vendor: Vendor | "ollama", offered: readonly (string | ListedModel)[]): void {
      lists[vendor] = offered.map((model) => (typeof model === "string" ? { id: model } : model));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
