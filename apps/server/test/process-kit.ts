import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, expect } from "vitest";
import type { Client } from "./kit.ts";

const entry = fileURLToPath(new URL("../dist/node.js", import.meta.url));

/** The built server as processes, in a folder of their own; gone after each test of the file that calls this. */
export function processes() {
  let folder: string;
  let children: ChildProcess[];
  beforeEach(async () => {
    expect(existsSync(entry), "`npm test` builds the server first").toBe(true);
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-process-"));
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? kill(child, "SIGKILL")));
    await rm(folder, { recursive: true, force: true });
  });

  function launch(env: Record<string, string> = {}, nodeOptions: string[] = []) {
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, [...nodeOptions, entry], {
      cwd: folder,
      env: { PATH, HOME, PORT: "0", DATA_DIR: path.join(folder, "data"), ...env },
    });
    children.push(child);
    const run = { child, output: "", exited: new Promise<number | null>((resolve) => child.once("close", resolve)) };
    const collect = (data: Buffer) => {
      run.output += data.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    return run;
  }

  async function started(env: Record<string, string> = {}, nodeOptions: string[] = []) {
    const run = launch(env, nodeOptions);
    await expect.poll(() => run.output, { timeout: 30_000 }).toContain("Models ");
    const url = /http:\/\/\S+/.exec(run.output)?.[0] ?? "";
    const client = (token?: string): Client =>
      createTRPCClient({
        links: [
          httpBatchLink({
            url: `${url}/trpc`,
            transformer: superjson,
            headers: token ? { authorization: `Bearer ${token}` } : {},
          }),
        ],
      });
    return Object.assign(run, { url, client, lines: run.output.split("\n").filter(Boolean) });
  }

  function kill(child: ChildProcess, signal: NodeJS.Signals) {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    return exited;
  }

  async function signUp(server: Awaited<ReturnType<typeof started>>) {
    const registered = await server.client().auth.register.mutate({ email: "a@example.com", password: "Correct-horse-1" });
    if ("next" in registered) throw new Error("The account has to be verified first");
    return registered.tokens.accessToken ?? "";
  }

  return { launch, started, signUp, kill, children: () => children, folder: () => folder };
}
