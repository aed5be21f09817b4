import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createParley } from "@parley/client";
import { openTestDatabase } from "@parley/testing";
import { afterEach, expect, test } from "vitest";
import { usual } from "./kit.ts";
import { serverEntry, startProcess } from "./soak/process-node.ts";
import { startWorkerd } from "./workerd.ts";

const readme = fileURLToPath(new URL("../../../README.md", import.meta.url));
const client = fileURLToPath(new URL("../../../packages/client/dist/index.js", import.meta.url));

let folder: string;
let server: { url: string; stop(): Promise<unknown> };
let children: ChildProcess[];
const runtimes = process.env.TEST_DATABASE_URL ? ["Node", "workerd"] : ["Node"];

async function open(runtime: string) {
  for (const built of [serverEntry, client]) expect(existsSync(built), "`npm test` builds first").toBe(true);
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-readme-"));
  server =
    runtime === "Node"
      ? await openProcess()
      : await startWorkerd({ database: await openTestDatabase("postgres"), variables: usual });
  children = [];
  const script = /```js\n(.*?)```/s.exec(await readFile(readme, "utf8"))?.[1] ?? "";
  const here = script
    .replace("./packages/client/dist/index.js", pathToFileURL(client).href)
    .replace("http://127.0.0.1:3000", server.url);
  expect(here).toContain(server.url);
  await writeFile(path.join(folder, "ask.mjs"), here);
}

async function openProcess() {
  const { url, end } = await startProcess(folder, {});
  return { url, stop: () => end("SIGKILL") };
}

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function ask(...given: string[]) {
  const child = spawn(process.execPath, ["ask.mjs", ...given], { cwd: folder });
  children.push(child);
  const run = { child, output: "", errors: "", exited: once(child, "close") };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.errors += text;
  });
  return run;
}

test.each(runtimes)(
  "the README's script on %s is interrupted with Ctrl-C, starts again with the run, and prints the rest",
  async (runtime) => {
    await open(runtime);
    const first = ask();
    await expect.poll(() => first.output.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(60);
    first.child.kill("SIGINT");
    await first.exited;
    const [, runId = "", eventId = ""] = /The rest: node ask\.mjs (\S+) (\S+)/.exec(first.errors) ?? [];
    expect(runId).not.toBe("");

    const second = ask(runId, eventId);
    await second.exited;
    expect(second.errors).toBe("");
    expect(second.output).not.toBe("");

    const { api } = createParley({ url: server.url, transport: "sse" });
    const { tokens } = await api.auth.login.mutate({ identifier: "ada@example.com", password: "Correct-horse-1" });
    const parley = createParley({ url: server.url, token: tokens.accessToken ?? "", transport: "sse" });
    const conversations = await parley.api.chat.conversations.list.query({});
    const { items } = await parley.api.chat.messages.list.query({ conversationId: conversations.items[0]?.id ?? "" });
    const stored = items.find((message) => message.runId === runId);
    expect(stored?.status).toBe("complete");
    expect(first.output + second.output).toBe(stored?.content);

    const whole = ask(runId);
    await whole.exited;
    expect(whole.output).toBe(stored?.content);
  },
  60_000,
);
