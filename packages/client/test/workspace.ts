import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openTestDatabase } from "@parley/testing";
import { usual } from "../../../apps/server/test/kit.ts";
import { type Place, startWorkerd } from "../../../apps/server/test/workerd.ts";

export const clientFolder = fileURLToPath(new URL("..", import.meta.url));
export const root = path.resolve(clientFolder, "../..");
const server = path.join(root, "apps/server/dist/node.js");
const bin = path.join(root, "node_modules/.bin");
const environment = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: "1" };

export interface Outcome {
  code: number;
  output: string;
}

/** Never rejects for a program that fails: that may be what is expected of it. */
export async function run(command: string, args: string[], cwd = root): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env: environment, timeout: 120_000 });
    return { code: 0, output: `${stdout}${stderr}` };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === "number" ? code : -1, output: `${stdout}${stderr}` || String(error) };
  }
}

export async function mustRun(command: string, args: string[], cwd = root): Promise<string> {
  const { code, output } = await run(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

export function build(name: string): Promise<string> {
  return mustRun("turbo", ["run", "build", `--filter=${name}`, "--output-logs=errors-only"]);
}

export interface StartedServer {
  url: string;
  stop(): Promise<void>;
  /** Without a last word. */
  kill(): Promise<void>;
}

/** The server as it is shipped, on a port and in a folder of its own; or the worker, on a database of its own. */
export async function startServer(folder: string, place: Place = "pglite"): Promise<StartedServer> {
  if (place === "workerd") {
    const worker = await startWorkerd({ database: await openTestDatabase("postgres"), variables: usual });
    return { ...worker, kill: worker.stop };
  }
  if (!existsSync(server)) await build("@parley/server");
  const env = { PATH: process.env.PATH, PORT: "0", DATA_DIR: path.join(folder, "data"), LOG_LEVEL: "error" };
  const child = spawn(process.execPath, [server], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Parley\s+(http:\S+)/.exec(line)?.[1];
      if (!url) continue;
      child.stdout.resume();
      return { url, stop, kill };
    }
    throw new Error("The server ended before it said where it is");
  } catch (error) {
    await stop();
    throw error;
  }
}
