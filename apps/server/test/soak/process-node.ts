import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { targetAt } from "./line.ts";

export const serverEntry = fileURLToPath(new URL("../../dist/node.js", import.meta.url));

export type ProcessNode = Awaited<ReturnType<typeof startProcess>>;

/** What runs the worker in a workerd, which is another process. */
const workerEntry = fileURLToPath(new URL("../../scripts/edge/serve.ts", import.meta.url));

const usual = {
  PORT: "0",
  JWT_SECRET: "for-tests-only-0123456789-0123456789",
  RATE_LIMIT_GENERAL: "off",
  RATE_LIMIT_GENERAL_GUEST: "off",
  RATE_LIMIT_CHAT: "off",
  RATE_LIMIT_SIGN_IN: "off",
  RATE_LIMIT_PROVIDER_REQUESTS: "off",
  RATE_LIMIT_PROVIDER_TOKENS: "off",
  OLLAMA_URL: "off",
  LOG_LEVEL: "warn",
};

/** The server as it is shipped, in a process of its own; or the worker, in two. */
export async function startProcess(folder: string, env: Record<string, string>, runtime: "node" | "workerd" = "node") {
  const { PATH, HOME } = process.env;
  const isGroup = runtime === "workerd";
  const program = isGroup ? ["--import", import.meta.resolve("tsx"), workerEntry] : [serverEntry];
  const child = spawn(process.execPath, program, {
    cwd: folder,
    env: { PATH, HOME, DATA_DIR: `${folder}/data`, ...usual, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: isGroup,
  });
  const kill = (signal: NodeJS.Signals) => (isGroup && child.pid ? process.kill(-child.pid, signal) : child.kill(signal));
  const exited = once(child, "exit");
  const lines: string[] = [];
  child.stderr.on("data", (data: Buffer) => lines.push(data.toString()));
  const output = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    output.on("line", (line) => {
      lines.push(line);
      const found = /^Parley\s+(http:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    void exited.then(() => reject(new Error(`The server ended before it said where it is: ${lines.join("\n")}`)));
  });
  const connectTo = targetAt(Number(new URL(url).port));
  let isAlive = true;
  void exited.then(() => {
    isAlive = false;
  });
  return {
    url,
    lines,
    get isAlive() {
      return isAlive;
    },
    /** Null for one that a signal ended. */
    exitCode: exited.then(([code]: (number | null)[]) => code ?? null),
    signal: (signal: NodeJS.Signals) => void kill(signal),
    connect: (): Socket | null => (isAlive ? connectTo() : null),
    async end(signal: "SIGTERM" | "SIGKILL") {
      if (isAlive) kill(signal);
      isAlive = signal !== "SIGKILL" && isAlive;
      await exited;
    },
  };
}
