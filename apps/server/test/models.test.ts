import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { startUpstream, type Upstream } from "@parley/testing";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Person, testApp } from "./kit.ts";
import { clientPlaces } from "./workerd.ts";

const claude = "claude-sonnet-5-5";

describe.each(clientPlaces)("models by their variables, on %s", (place) => {
  const isWorkerd = place === "workerd";
  let upstream: Upstream;
  let folder: string;
  beforeAll(async () => {
    upstream = await startUpstream();
    upstream.models("anthropic", [claude, "claude-haiku-5-5"]);
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-models-"));
  });
  afterAll(async () => {
    await upstream.stop();
    await rm(folder, { recursive: true });
  });

  async function boot(env: Record<string, string>) {
    upstream.reset();
    const app = await testApp({
      database: place,
      env: { ANTHROPIC_BASE_URL: upstream.url, GOOGLE_AI_BASE_URL: upstream.url, ...env },
    });
    const person = await app.person();
    return { ...app, person, newcomer: () => app.person() };
  }
  let sent = 0;
  async function ask({ api }: Person, input: { model?: string; maxTokens?: number } = {}, patienceMs = 10_000) {
    const { conversationId } = await api.chat.send.mutate({ clientMessageId: `o-${++sent}`, content: "Hello", ...input });
    const answer = async () => (await api.chat.messages.list.query({ conversationId })).items.at(-1);
    await expect.poll(async () => (await answer())?.status, { timeout: patienceMs }).not.toBe("running");
    return answer();
  }
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: unknown) => (error instanceof TRPCClientError ? { message: error.message, ...error.data } : error),
    );

  test("without any, there is the demonstration, and it says how to get more", async () => {
    await using app = await boot({});
    expect((await app.person.api.model.list.query()).items.map(({ id }) => id)).toEqual(["demo"]);
    const { items } = await app.person.api.model.providers.query();
    expect(items.map(({ name, configured }) => [name, configured])).toEqual([
      ["anthropic", false],
      ["gemini", false],
      ["openai", false],
      ["demo", true],
    ]);
    expect(await refusal(app.person.api.model.test.mutate({ provider: "gemini" }))).toMatchObject({
      reason: "provider_unconfigured",
    });
    expect(await refusal(app.person.api.model.test.mutate({ provider: "nobody" }))).toMatchObject({ reason: "not_found" });
  });

  // Nothing is on the same machine as a worker.
  test.skipIf(isWorkerd)("an Ollama on this machine is found by itself, and costs nothing", async () => {
    upstream.models("ollama", ["llama3.2:latest"]);
    await using app = await boot({ OLLAMA_URL: upstream.url });
    const { items } = await app.person.api.model.list.query();
    expect(items).toMatchObject([
      { id: "llama3.2:latest", provider: "ollama", isDefault: true, prices: { input: 0, output: 0 } },
    ]);
    expect(await ask(app.person)).toMatchObject({ content: "Hello from openai.", provider: "ollama", model: "llama3.2:latest" });
  });

  // A worker has no files.
  test.skipIf(isWorkerd)("a file corrects the catalogue, and a wrong one stops the start with one line", async () => {
    const file = path.join(folder, "models.json");
    const prices = { input: 1_000_000, cacheRead: 0, cacheWrite: 0, output: 2_000_000 };
    await writeFile(file, JSON.stringify({ models: [{ provider: "anthropic", id: claude, prices, name: "House Claude" }] }));
    await using app = await boot({ ANTHROPIC_API_KEY: "k", MODELS_FILE: file });
    expect(await app.person.api.model.get.query({ id: claude })).toMatchObject({ name: "House Claude", prices });
    const { tokens, costMicros } = await app.person.api.model.estimate.query({ model: claude, text: "שלום ".repeat(2_000) });
    expect(tokens).toBeGreaterThan(4_000);
    expect(costMicros).toBe(tokens);
    expect(await refusal(app.person.api.model.get.query({ id: "no-such" }))).toMatchObject({ reason: "model_unknown" });
    await writeFile(file, '{ "models": [{ "provider": "anthropic", "id": "x", "price": 3 }] }');
    await expect(boot({ ANTHROPIC_API_KEY: "k", MODELS_FILE: file })).rejects.toThrow(
      /MODELS_FILE .*models\.json: models\[0\] "x"/,
    );
  });

  test("the default and the fallbacks are the operator's to name", async () => {
    await using app = await boot({
      ANTHROPIC_API_KEY: "k",
      GOOGLE_AI_API_KEY: "g",
      DEFAULT_MODEL: "claude-haiku-5-5",
      FALLBACK_MODELS: "no-longer-there,gemini-2.5-flash",
    });
    upstream.byModel("claude-haiku-5-5", { refusal: { status: 400, type: "bad_request" } });
    expect(await ask(app.person)).toMatchObject({ model: "gemini-2.5-flash", content: "Hello from gemini." });
  });

  // A worker has no start that could be refused: the requests are.
  test.skipIf(isWorkerd)("a default that nobody offers stops the start", async () => {
    await expect(boot({ ANTHROPIC_API_KEY: "k", DEFAULT_MODEL: "no-such" })).rejects.toThrow('DEFAULT_MODEL is "no-such"');
  });

  test("our own limit for a key is kept before the vendor is asked", async () => {
    await using app = await boot({
      ANTHROPIC_API_KEY: "first",
      ANTHROPIC_API_KEY_BACKUP: "second",
      RATE_LIMIT_PROVIDER_REQUESTS: "1/1m",
    });
    const before = upstream.calls.length;
    for (let count = 0; count < 2; count++) expect(await ask(app.person)).toMatchObject({ status: "complete" });
    expect(await ask(app.person)).toMatchObject({ status: "failed", error: { reason: "provider_unavailable" } });
    const asked = upstream.calls.slice(before).filter(({ kind }) => kind === "generate");
    expect(asked.map(({ key }) => key)).toEqual(["first", "second"]);
    const ready = async () => (await app.person.api.model.providers.query()).items[0]?.keys;
    expect(await ready()).toEqual({ total: 2, ready: 0 });
    // The worker's time is its own.
    if (isWorkerd) return;
    app.clock.advance({ seconds: 61 });
    expect(await ready()).toEqual({ total: 2, ready: 2 });
  });

  test("an answer that goes on and on is ended by the limit for a whole call", async () => {
    await using app = await boot({ ANTHROPIC_API_KEY: "k", MODEL_TIMEOUT: "1s" });
    upstream.otherwise({ steps: [{ stream: { perSecond: 20 } }] });
    const answer = await ask(app.person, {}, 8_000);
    expect(answer).toMatchObject({
      status: "failed",
      error: { reason: "provider_unavailable", message: expect.stringContaining("in time") },
    });
    expect(answer?.content).not.toBe("");
    const last = upstream.calls.filter(({ kind }) => kind === "generate").at(-1);
    expect(await last?.closed).toBe("by-client");
  });

  test("operators see each key's state, others how many are ready", async () => {
    await using app = await boot({ ANTHROPIC_API_KEY: "k" });
    const { api: other } = await app.newcomer();
    expect((await app.person.api.model.providers.query()).items[0]?.details?.keys).toHaveLength(1);
    expect((await other.model.providers.query()).items[0]).toMatchObject({ details: null, keys: { total: 1, ready: 1 } });
    expect(await refusal(other.model.test.mutate({ provider: "anthropic" }))).toMatchObject({ reason: "forbidden" });
  });

  test("a budget by plan ends with a refusal that says when it begins anew", async () => {
    await using app = await boot({ ANTHROPIC_API_KEY: "k", BUDGET_TOKENS: "free=100,pro=off", BUDGET_COST: "free=0.50" });
    upstream.otherwise({ steps: [{ text: "Much" }], usage: { input: 10, output: 90 } });
    expect(await ask(app.person)).toMatchObject({ status: "complete" });
    expect(await refusal(ask(app.person))).toMatchObject({
      reason: "budget_exceeded",
      httpStatus: 429,
      retryAfterMs: expect.any(Number),
    });
  });

  test.skipIf(isWorkerd).each<{ env: Record<string, string>; words: string }>([
    { env: { BUDGET_TOKENS: "gold=3" }, words: "BUDGET_TOKENS" },
    { env: { BUDGET_COST: "free=-1" }, words: "BUDGET_COST" },
    { env: { MODEL_TIMEOUT: "0s" }, words: "MODEL_TIMEOUT" },
    { env: { RATE_LIMIT_PROVIDER_REQUESTS: "many" }, words: "RATE_LIMIT_PROVIDER_REQUESTS" },
  ])("a wrong $words is named", async ({ env, words }) => {
    await expect(boot(env)).rejects.toThrow(words);
  });
});
