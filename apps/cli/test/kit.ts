import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ScriptedStream } from "@parley/testing";
import { expect } from "vitest";

/** Of util-linux: a terminal for a process that has none. */
export const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;
const program = fileURLToPath(new URL("../dist/parley.js", import.meta.url));
export const password = "Correct-horse-1";

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  ended: Promise<Ended>;
}

interface How {
  input?: string;
  /** Leaves its input open, to be written to. */
  isOpen?: boolean;
  env?: Record<string, string>;
  /** In place of the built command: a shell line in which it is `parley`. */
  shell?: string;
  cwd?: string;
}

export type Home = Awaited<ReturnType<typeof home>>;

/** Somebody's machine: a folder for settings, and the built command as a process of its own. */
export async function home(url: string) {
  expect(existsSync(program), "`npm test` builds the command first").toBe(true);
  const folder = await mkdtemp(path.join(tmpdir(), "parley-cli-"));
  const children = new Set<ChildProcess>();

  function start(args: string[], { input, isOpen = false, env = {}, shell, cwd = folder }: How = {}): Running {
    const { PATH = "" } = process.env;
    const environment = { PATH, HOME: folder, PARLEY_URL: url, PARLEY_CONFIG_DIR: path.join(folder, "config"), ...env };
    const line = `parley() { "${process.execPath}" "${program}" "$@"; }; ${shell}`;
    const [command, words] = shell ? ["bash", ["-c", line]] : [process.execPath, [program, ...args]];
    const stdin = isOpen || input !== undefined ? "pipe" : "ignore";
    const child = spawn(command, words, { cwd, env: environment, stdio: [stdin, "pipe", "pipe"] });
    children.add(child);
    let out = "";
    let err = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    if (input !== undefined) child.stdin?.end(input);
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code) => {
        children.delete(child);
        resolve({ code, out, err });
      });
    });
    return { child, out: () => out, err: () => err, ended };
  }

  const run = (args: string[], how: How = {}) => start(args, how).ended;

  return {
    folder,
    credentials: path.join(folder, "config/credentials"),
    start,
    run,
    /** On a terminal, which `type` writes to. */
    onTerminal(...args: string[]) {
      const shell = `exec script -qfec '${[process.execPath, program, ...args].join(" ")}' /dev/null`;
      const running = start([], { shell, env: { TERM: "xterm", COLUMNS: "80" }, isOpen: true });
      return { ...running, type: (text: string) => running.child.stdin?.write(text) };
    },
    /** What a script would read. Fails where the command does. */
    async json<Value>(args: string[], how: How = {}): Promise<Value> {
      const { code, out, err } = await run([...args, "--json"], how);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      return JSON.parse(out) as Value;
    },
    async signUp(email = `cli-${crypto.randomUUID()}@example.com`): Promise<string> {
      const { code, err } = await run(["register", "--email", email, "--password-stdin"], { input: `${password}\n` });
      expect({ code, err }).toEqual({ code: 0, err: "" });
      return email;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a model was told, as text. */
export function saidTo({ messages }: ScriptedStream["request"]): string[] {
  return messages.map((message) => {
    const parts = "parts" in message ? message.parts : [];
    return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  });
}
