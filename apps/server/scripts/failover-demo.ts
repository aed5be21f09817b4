// `npm run demo:failover`: a real server and its real adapters, against a vendor on this machine that misbehaves by script.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createParley } from "@parley/client";
import type { RunEvent } from "@parley/contract/events";
import { migrationsFolder, pgliteTemplate, type Script, startUpstream } from "@parley/testing";
import { readConfig } from "../src/config/config.ts";
import { startServer } from "../src/start.ts";

const claude = "claude-sonnet-5-5";
const gemini = "gemini-3.8-flash";
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const overloaded: Script = { refusal: { status: 529, type: "overloaded" } };
const limited: Script = { refusal: { status: 429, type: "rate", retryAfterSeconds: 60 } };
const broken: Script = { steps: [{ text: "To parley is to" }, { cut: true }] };
const well: Script = {
  steps: [{ text: "To parley is to talk " }, { text: "before the fighting." }],
  usage: { input: 12, output: 9 },
};

const scenes: { title: string; scripts: Script[]; more?: object }[] = [
  { title: "The first key is over its limit: the second one answers, and nobody notices", scripts: [limited, well] },
  { title: "Claude is overloaded twice, then answers", scripts: [overloaded, overloaded, well] },
  {
    title: "Claude stays overloaded: Gemini answers",
    scripts: [overloaded, overloaded, overloaded, well],
    more: { fallbacks: [gemini] },
  },
  {
    title: "Claude breaks off after its first words: an honest failure, the text is kept",
    scripts: [broken],
    more: { fallbacks: [gemini] },
  },
  {
    title: "The same, and the request allows starting over",
    scripts: [broken, well],
    more: { fallbacks: [gemini], failover: true },
  },
];

await using upstream = await startUpstream();
const folder = await mkdtemp(path.join(os.tmpdir(), "parley-demo-"));
const config = readConfig({
  PORT: "0",
  DATA_DIR: folder,
  OLLAMA_URL: "off",
  TASK_MODEL: "off",
  ANTHROPIC_API_KEY: "first-fake-key",
  ANTHROPIC_API_KEY_BACKUP: "second-fake-key",
  ANTHROPIC_BASE_URL: upstream.url,
  GOOGLE_AI_API_KEY: "fake-key",
  GOOGLE_AI_BASE_URL: upstream.url,
});
upstream.models("anthropic", [claude]);
upstream.models("gemini", [gemini]);
const assets = { migrations: migrationsFolder, pgliteTemplate };
const server = await startServer(config, { assets, log: silent });
const registered = await createParley({ url: server.url }).api.auth.register.mutate({
  email: "you@example.com",
  password: "Correct-horse-1",
});
const token = "tokens" in registered ? (registered.tokens.accessToken ?? "") : "";
const parley = createParley({ url: server.url, token });

for (const { title, scripts, more } of scenes) {
  console.log(`\n${title}`);
  upstream.reset();
  upstream.script(...scripts);
  const { answer } = await parley.api.chat.send.mutate({
    clientMessageId: crypto.randomUUID(),
    content: "What is a parley?",
    model: claude,
    ...more,
  });
  for await (const event of parley.chat.follow(answer?.runId ?? "")) console.log(`  ${event.type.padEnd(12)} ${describe(event)}`);
}

await parley.close();
await server.stop();
await rm(folder, { recursive: true });

function describe(event: RunEvent): string {
  switch (event.type) {
    case "run-start":
      return event.model;
    case "text-delta":
      return JSON.stringify(event.text);
    case "failover":
      return `${event.from.model} → ${event.to.model}, text dropped after ${event.keepThrough}`;
    case "run-end": {
      const attempts = event.receipt.attempts.map(
        ({ model, outcome, trouble }) => `${model} ${outcome}${trouble ? ` (${trouble})` : ""}`,
      );
      return `${event.status}, ${event.receipt.total.costMicros} micro-units: ${attempts.join(", ")}`;
    }
    default:
      return "";
  }
}
