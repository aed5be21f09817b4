import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readMigrations } from "@parley/platform/node";
import { build, type Plugin } from "esbuild";
import { nativeSpread } from "../native-spread.ts";
import { leftOut } from "./left-out.ts";
import { migrationsFolder } from "./migrations.ts";

export interface WorkerModule {
  name: string;
  contents: Uint8Array;
}

export interface WorkerBundle {
  entry: WorkerModule;
  /** Read with the entry, or when they are asked for. */
  chunks: WorkerModule[];
  wasm: WorkerModule[];
}

const source = fileURLToPath(new URL("../../src/worker.ts", import.meta.url));

/** The worker, and the modules of WebAssembly that the runtime has to compile itself. */
export async function bundleWorker(): Promise<WorkerBundle> {
  const wasm = new Map<string, WorkerModule>();
  const { outputFiles } = await build({
    entryPoints: { worker: source },
    outdir: "/",
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    mainFields: ["browser", "module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: {
      "process.env.NODE_ENV": '"production"',
      // One text: a list would become a module that each of the others begins with.
      migrations: JSON.stringify((await readMigrations(migrationsFolder)).map(({ hash }) => hash).join(" ")),
    },
    logLevel: "error",
    plugins: [nativeSpread, leftOut, gatherWasm(wasm)],
  });
  const scripts = outputFiles.map(({ path: file, contents }) => ({ name: path.basename(file), contents }));
  const entry = scripts.find(({ name }) => name === "worker.mjs");
  if (!entry) throw new Error("esbuild made no worker");
  return { entry, chunks: scripts.filter((script) => script !== entry), wasm: Array.from(wasm.values()) };
}

function gatherWasm(found: Map<string, WorkerModule>): Plugin {
  return {
    name: "gather WebAssembly",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /\.wasm$/ }, async ({ path: asked, resolveDir, kind, pluginData }) => {
        if (pluginData === found) return undefined;
        const resolved = await resolve(asked, { resolveDir, kind, pluginData: found });
        if (resolved.errors.length > 0) return { errors: resolved.errors };
        const name = `./${path.basename(resolved.path)}`;
        found.set(name, { name: path.basename(resolved.path), contents: await readFile(resolved.path) });
        return { path: name, external: true };
      });
    },
  };
}
