import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort, startUpstream } from "@parley/testing";
import { afterEach, expect, test } from "vitest";
import { home } from "./kit.ts";

const server = fileURLToPath(new URL("../../server/dist/node.js", import.meta.url));
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The server as it is shipped, on the same port and folder each time. */
async function stage(upstream: string) {
  const folder = await mkdtemp(path.join(tmpdir(), "parley-restart-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const port = String(await freePort());
  const env = {
    PATH: process.env.PATH,
    PORT: port,
    DATA_DIR: path.join(folder, "data"),
    LOG_LEVEL: "error",
    OLLAMA_URL: "off",
    TASK_MODEL: "off",
    OPENAI_COMPATIBLE_BASE_URL: `${upstream}/v1`,
    OPENAI_COMPATIBLE_API_KEY: "key",
  };
  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      const child = spawn(process.execPath, [server], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "exit");
      const end = async (signal: NodeJS.Signals) => {
        child.kill(signal);
        await ended;
      };
      closers.push(() => (child.exitCode === null && child.signalCode === null ? end("SIGKILL") : Promise.resolve()));
      for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("Models")) break;
      child.stdout.resume();
      return end;
    },
  };
}

interface Listed {
  items: { role: string; content: string; status: string }[];
}

test.each([
  // Long enough to be cut by the restart, short enough to be finished within its grace.
  { signal: "SIGTERM", tokens: 300, code: 0 },
  { signal: "SIGKILL", tokens: 40_000, code: 5 },
] as const)(
  "a server that restarts by $signal while it answers: one question, and what is printed is what is stored",
  { timeout: 120_000 },
  async ({ signal, tokens, code }) => {
    const upstream = await startUpstream();
    closers.push(() => upstream.stop());
    upstream.otherwise({ steps: [{ stream: { perSecond: 40, tokens, characters: 6 } }] });
    const { url, start } = await stage(upstream.url);
    const end = await start();
    await using mine = await home(url);
    await mine.signUp();
    const asking = mine.start(["ask", "x", "--no-stream"]);
    const { runId } = await mine.json<{ runId: string }>(["ask", "y", "-d"]);
    const attached = mine.start(["attach", runId]);
    await expect.poll(() => attached.out().length, { timeout: 20_000 }).toBeGreaterThan(800);
    await end(signal);
    await start();
    const [asked, followed] = await Promise.all([asking.ended, attached.ended]);
    const stored: string[] = [];
    const { items } = await mine.json<{ items: { id: string }[] }>(["conversations"]);
    for (const { id } of items) {
      const page = await mine.json<Listed>(["messages", id]);
      stored.push(...page.items.filter(({ role }) => role === "assistant").map(({ content }) => content));
    }
    // One question each, however often it was sent.
    expect(stored).toHaveLength(2);
    expect(stored.map((text) => `${text}\n`)).toContain(asked.out);
    expect(asked).toMatchObject({ code, err: code === 0 ? "" : expect.stringMatching(/^parley: .+\n$/) });
    const kept = stored.filter((text) => text.length > 100 && followed.out.startsWith(text));
    expect(kept).not.toEqual([]);
    // A pipe cannot take back what kill -9 has kept from being saved: then that is said.
    if (!kept.includes(followed.out.trimEnd()))
      expect(followed.err).toMatch(/the last \d+ characters do not count: they were never saved/);
    expect(followed.code).toBe(code);
  },
);
