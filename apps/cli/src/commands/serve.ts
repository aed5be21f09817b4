import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { command } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

const signals: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 };

export const serve = command({
  name: "serve",
  summary: "Starts the server of a clone of Parley's repository, as `npm start` there does",
  options: {
    from: {
      type: "string",
      value: "FOLDER",
      help: "The clone; by default the one that you are in, or that this command is from",
    },
    port: { type: "string", short: "p", value: "PORT", help: "By default PORT, or 3000" },
    host: { type: "string", value: "HOST", help: "The address to listen on; by default HOST" },
    "data-dir": { type: "string", value: "FOLDER", help: "Where the embedded database is; by default DATA_DIR" },
  },
  async run(_context, { from, port, host, "data-dir": dataDir }) {
    const folders = from === undefined ? [process.cwd(), path.dirname(fileURLToPath(import.meta.url))] : [path.resolve(from)];
    const root = folders.map(findClone).find((found) => found !== null);
    if (!root) {
      const where =
        from === undefined ? "This is no clone of Parley's repository" : `There is no clone of Parley's repository in ${from}`;
      throw new Failure(exitCodes.refused, "not_found", `${where}: name one with --from, or start its container image`);
    }
    const named = {
      ...(port !== undefined && { PORT: port }),
      ...(host !== undefined && { HOST: host }),
      ...(dataDir !== undefined && { DATA_DIR: path.resolve(dataDir) }),
    };
    const args = ["--max-semi-space-size=32", path.join(root, "scripts/start.mjs")];
    return runUntilEnd(args, { cwd: root, env: { ...process.env, ...named } });
  },
});

/** Stays beside it: what the shell sends to us must reach it, and its end is ours. */
function runUntilEnd(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = spawn(process.execPath, args, { ...options, stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));
    server.once("error", reject);
    server.once("exit", (code, signal) => resolve(code ?? signals[signal ?? "SIGTERM"] ?? 1));
  });
}

function findClone(folder: string): string | null {
  for (let here = folder; ; here = path.dirname(here)) {
    if (existsSync(path.join(here, "scripts/start.mjs")) && isServer(path.join(here, "apps/server/package.json"))) return here;
    if (here === path.dirname(here)) return null;
  }
}

function isServer(manifest: string): boolean {
  try {
    return Object(JSON.parse(readFileSync(manifest, "utf8"))).name === "@parley/server";
  } catch {
    return false;
  }
}
