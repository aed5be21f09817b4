import { named } from "@parley/platform/workers/runtime";
import { databaseKinds, openTestDatabase, startUpstream, type TestDatabase, type Upstream } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalWorker, startLocalWorker } from "../scripts/edge/local-worker.ts";
import type { Bindings } from "../src/workers/bindings.ts";
import { type Client, clientOf, usual } from "./kit.ts";

const metricsToken = "metrics-token-of-this-test";
const model = "claude-sonnet-5-5";
const soon = { timeout: 15_000 };

describe.skipIf(!databaseKinds.includes("postgres"))("what a worker counts", () => {
  let database: TestDatabase;
  let upstream: Upstream;
  let worker: LocalWorker | undefined;
  beforeEach(async () => {
    database = await openTestDatabase("postgres");
    upstream = await startUpstream();
    upstream.models("anthropic", [model]);
  });
  afterEach(async () => {
    await worker?.stop();
    await Promise.all([upstream.stop(), database.close()]);
  });

  async function start(env: Record<string, string> = {}) {
    const keys = { ANTHROPIC_API_KEY: "key-one", ANTHROPIC_BASE_URL: upstream.url };
    const variables = { ...usual, ...keys, METRICS_TOKEN: metricsToken, MODEL_RETRY: "1s", ...env };
    worker = await startLocalWorker({ databaseUrl: database.url ?? "", variables });
    const account = { email: "a@example.com", password: "Correct-horse-1" };
    const registered = await clientOf(worker.url, null).auth.register.mutate(account);
    if ("next" in registered) throw new Error("The account has to be verified first");
    return { ...worker, api: clientOf(worker.url, registered.tokens.accessToken ?? "") };
  }

  async function page({ url }: Pick<LocalWorker, "url">): Promise<string> {
    const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
    return response.text();
  }

  /** Not through the worker, which would hand on what waits there. */
  async function pageOfObject({ miniflare }: Pick<LocalWorker, "miniflare">): Promise<string> {
    const { METERS } = await miniflare.getBindings<{ METERS: Bindings["METERS"] }>();
    return named(METERS, "meters").page();
  }

  const callsIn = (text: string, procedure: string) =>
    Number(new RegExp(`^parley_call_duration_seconds_count\\{procedure="${procedure}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);

  const ask = (api: Client, times: number) => Promise.all(Array.from({ length: times }, () => api.auth.me.query()));

  test("is on the page and in the readings once, in however many batches it comes", async () => {
    const { api, url } = await start({ METRICS_INTERVAL: "1s" });
    const onPage = async () => callsIn(await page({ url }), "auth.me");
    const inReadings = async () => {
      const { items } = await api.metrics.endpoints.query({ range: "1h" });
      return items.find(({ procedure }) => procedure === "auth.me")?.calls;
    };
    await ask(api, 7);
    await expect.poll(onPage, soon).toBe(7);
    await ask(api, 13);
    await expect.poll(onPage, soon).toBe(20);
    await expect.poll(inReadings, soon).toBe(20);
    // By the time that what came later is there, whatever came before would have come again.
    await api.model.list.query();
    await expect.poll(async () => callsIn(await page({ url }), "model.list"), soon).toBe(1);
    expect(await onPage()).toBe(20);
    expect(await inReadings()).toBe(20);
  });

  test("a run's object hands on its last counts at its end, when nobody asks for anything any more", async () => {
    upstream.script({ steps: [{ text: "To parley is" }, { stall: true }] });
    const { api, miniflare } = await start({ MODEL_TIMEOUT_FIRST: "2s", MODEL_TIMEOUT_GAP: "2s" });
    await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    await expect.poll(() => pageOfObject({ miniflare }), soon).toContain('parley_runs_total{status="failed"} 1');
    expect(await pageOfObject({ miniflare })).toMatch(/^parley_model_calls_total\{.*outcome="failed",trouble="timeout"\} 1$/m);
  });

  test("opens an alert where calls fail, and resolves it", async () => {
    const { api } = await start({ METRICS_INTERVAL: "2s" });
    const alerts = async () =>
      (await api.metrics.alerts.query()).items.map(({ rule, resolvedAt }) => [rule, resolvedAt !== null]);
    await database.database.execute(sql`alter table api_keys rename to away`);
    for (let batch = 0; batch < 3; batch++) {
      await Promise.allSettled(Array.from({ length: 10 }, () => api.apiKey.list.query()));
    }
    await expect.poll(alerts, soon).toEqual([["error_rate", false]]);
    await database.database.execute(sql`alter table away rename to api_keys`);
    await expect.poll(alerts, soon).toEqual([["error_rate", true]]);
  });

  test("a key that a vendor has refused rests for the next run, and operators see it", async () => {
    const { api, url } = await start({ METRICS_INTERVAL: "1s", ANTHROPIC_API_KEY_BACKUP: "key-two" });
    upstream.byKey("key-one", { refusal: { status: 429, retryAfterSeconds: 300 } });
    upstream.byKey("key-two", { steps: [{ text: "Well." }], usage: { input: 2, output: 1 } });
    const answer = async (clientMessageId: string) => {
      const sent = await api.chat.send.mutate({ clientMessageId, content: "Hello", model });
      const status = async () => (await api.chat.run.query({ runId: sent.answer?.runId ?? "" })).status;
      await expect.poll(status, soon).toBe("completed");
      return upstream.calls.splice(0).flatMap(({ kind, key }) => (kind === "generate" ? [key] : []));
    };
    expect(await answer("1")).toEqual(["key-one", "key-two"]);
    expect(await answer("2")).toEqual(["key-two"]);
    await expect.poll(() => page({ url }), soon).toContain('parley_provider_keys{provider="anthropic",state="cooling"} 1');
  });

  test("an alert about a vendor is resolved once its keys no longer rest", async () => {
    const { api } = await start({ METRICS_INTERVAL: "1s" });
    upstream.otherwise({ refusal: { status: 401, retryAfterSeconds: 4 } });
    await api.chat.send.mutate({ clientMessageId: "1", content: "Hello", model });
    const alerts = async () =>
      (await api.metrics.alerts.query()).items.map(({ rule, resolvedAt }) => [rule, resolvedAt !== null]);
    await expect.poll(alerts, soon).toEqual([["provider_unhealthy", false]]);
    await expect.poll(alerts, soon).toEqual([["provider_unhealthy", true]]);
  });
});
