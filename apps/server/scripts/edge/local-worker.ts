import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bundleWorker } from "./bundle.ts";
import { compatibility, durableObjects } from "./deployment.ts";

interface Options {
  databaseUrl: string;
  /** The environment's variables. */
  variables: Record<string, string>;
  port?: number;
  /** Where objects keep what they store; without it, in memory. */
  folder?: string;
  onLine?: (line: string) => void;
  /** The runtime has ended, and nobody told it to. */
  onGone?: () => void;
}

export interface LocalWorker extends AsyncDisposable {
  url: string;
  miniflare: Miniflare;
  stop(): Promise<void>;
}

let bundle: ReturnType<typeof bundleWorker> | undefined;

/** The worker in workerd on this machine, with nothing of Cloudflare's behind it. */
export async function startLocalWorker({
  databaseUrl,
  variables,
  port = 0,
  folder,
  onLine,
  onGone,
}: Options): Promise<LocalWorker> {
  bundle ??= bundleWorker();
  const { entry, chunks, wasm } = await bundle;
  let isStopping = false;
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: [
      ...[entry, ...chunks].map(({ name, contents }) => ({ type: "ESModule" as const, path: name, contents })),
      ...wasm.map(({ name, contents }) => ({ type: "CompiledWasm" as const, path: name, contents })),
    ],
    ...compatibility,
    // Not by Miniflare's Hyperdrive: a connection that is reset ends its process, and it only hands bytes on.
    bindings: { ...variables, HYPERDRIVE: { connectionString: databaseUrl } },
    durableObjects,
    ...(folder && { durableObjectsPersist: folder }),
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      for (const input of [stdout, stderr]) createInterface({ input }).on("line", (line) => onLine?.(line));
      stdout.on("close", () => isStopping || onGone?.());
    },
  });
  const url = (await miniflare.ready).origin;
  const stop = () => {
    isStopping = true;
    return miniflare.dispose();
  };
  return { url, miniflare, stop, [Symbol.asyncDispose]: stop };
}
