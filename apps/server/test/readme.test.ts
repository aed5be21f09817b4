import { type ChildProcess, spawn, spawnSync } from "node:child_process";
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
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const runtimes = process.env.TEST_DATABASE_URL ? ["Node", "workerd"] : ["Node"];

async function open(runtime: string) {
  for (const built of [serverEntry, client]) expect(existsSync(built), "`npm test` builds first").toBe(true);
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-readme-"));
  server =
    runtime === "Node"
      ? await openProcess()
      : await startWorkerd({ database: await openTestDatabase("postgres"), variables: usual });
  children = [];
  const script = await blockOf(/```js\n(.*?)```/s);
  await writeFile(path.join(folder, "ask.mjs"), script.replace("./packages/client/dist/index.js", pathToFileURL(client).href));
}

async function blockOf(pattern: RegExp): Promise<string> {
  const block = pattern.exec(await readFile(readme, "utf8"))?.[1] ?? "";
  expect(block).toContain("http://127.0.0.1:3000");
  return block.replace("http://127.0.0.1:3000", server.url);
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

const ask = (...given: string[]) => run(process.execPath, "ask.mjs", ...given);

function run(command: string, ...given: string[]) {
  const child = spawn(command, given, { cwd: folder });
  children.push(child);
  const started = { child, output: "", errors: "", exited: once(child, "close") };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    started.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    started.errors += text;
  });
  return started;
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

test.skipIf(!hasCurl).each(runtimes)(
  "the README's lines for curl on %s print an answer from its beginning to its end, and do so again",
  async (runtime) => {
    await open(runtime);
    const lines = await blockOf(/```sh\n(url=http.*?)```/s);
    for (const time of ["first", "second"]) {
      const asked = run("sh", "-c", lines);
      await asked.exited;
      expect(asked.output, `${time} time: ${asked.errors}`).toMatch(
        /"type":"text-delta".*"type":"run-end","status":"completed"/s,
      );
    }
  },
  120_000,
);
