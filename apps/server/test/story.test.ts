import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createParley, type Parley } from "@parley/client";
import type { Alert } from "@parley/contract";
import { databaseKinds, openLine, openTestDatabase, startUpstream, type TestDatabase, type Upstream } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProcessNode, serverEntry, startProcess } from "./soak/process-node.ts";
import { startChronicle } from "./story/chronicle.ts";
import { pause, startLoad } from "./story/load.ts";
import { type Receiver, startReceiver } from "./story/receiver.ts";

/** As operators have it by default: `STORY_INTERVAL=30s`; then the story takes some six minutes. */
const interval = process.env.STORY_INTERVAL ?? "1s";
const mostMs = 60_000;
const metricsToken = "for-tests-only-metrics-token";

describe.skipIf(!databaseKinds.includes("postgres"))("an operator's bad day", () => {
  let database: TestDatabase;
  let line: Awaited<ReturnType<typeof openLine>>;
  let upstream: Upstream;
  let receiver: Receiver;
  let folder: string;
  let server: ProcessNode;
  let parley: Parley;
  const chronicle = startChronicle();
  const told: { at: number; title: string }[] = [];

  beforeAll(async () => {
    expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true);
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-story-"));
    database = await openTestDatabase("postgres");
    line = await openLine(new URL(database.url ?? ""));
    upstream = await startUpstream();
    receiver = await startReceiver();
    server = await startProcess(folder, {
      DATABASE_URL: line.url,
      OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
      OPENAI_COMPATIBLE_API_KEY: "a-key",
      TASK_MODEL: "off",
      MODEL_RETRY: "1s",
      METRICS_INTERVAL: interval,
      METRICS_TOKEN: metricsToken,
      NODE_NAME: "the-node",
      LOG_LEVEL: "info",
      LOG_DIR: path.join(folder, "logs"),
      ALERT_WEBHOOK_URL: `${receiver.url}/alerts`,
      ALERT_WEBHOOK_SECRET: "for-tests-only-webhook-secret",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      NODE_OPTIONS: `--import=${new URL("./story/fill-memory.mjs", import.meta.url).href}`,
    });
    const guest = createParley({ url: server.url });
    const registered = await guest.api.auth.register.mutate({ email: "operator@example.com", password: "Correct-horse-1" });
    const token = "tokens" in registered ? (registered.tokens.accessToken ?? null) : null;
    await guest.close();
    parley = createParley({ url: server.url, token: () => token });
  }, 60_000);

  afterAll(async () => {
    await parley?.close();
    await server?.end("SIGTERM");
    await Promise.all([receiver?.stop(), upstream?.stop()]);
    await line?.close();
    await database?.close();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** Until an alert of this rule is there, open or resolved; null asks for one that is still open. */
  async function alertOf(rule: string, isResolved: boolean): Promise<Alert> {
    const until = Date.now() + mostMs;
    while (Date.now() < until) {
      const { items } = await parley.api.metrics.alerts.query({ limit: 100 }).catch(() => ({ items: [] as Alert[] }));
      const found = items.find((alert) => alert.rule === rule && (alert.resolvedAt !== null) === isResolved);
      if (found) return found;
      await pause(250);
    }
    throw new Error(`No ${isResolved ? "resolved" : "open"} alert of ${rule} within a minute\n${chronicle.print()}`);
  }

  /** Trouble is made, and its alert opens; it is mended, and its alert is resolved. */
  async function trouble(rule: string, { make, mend }: { make: () => void; mend: () => void }): Promise<Alert> {
    const begunAt = Date.now();
    make();
    chronicle.tell(`trouble: ${rule}`);
    const opened = await alertOf(rule, false);
    chronicle.tell(`alert opened, ${opened.severity}: ${opened.text}`, opened.openedAt.getTime());
    expect(opened.openedAt.getTime() - begunAt).toBeLessThan(mostMs);
    mend();
    chronicle.tell(`mended: ${rule}`);
    const resolved = await alertOf(rule, true);
    chronicle.tell(`alert resolved: ${rule}`, resolved.resolvedAt?.getTime());
    expect(resolved.id).toBe(opened.id);
    return resolved;
  }

  test("alerts open and resolve, and series, page, log, letters and live stream tell the same story", async () => {
    const live = parley.api.chat.live.subscribe(
      {},
      {
        onData({ data }) {
          if (data.type === "notification") told.push({ at: Date.now(), title: data.notification.title });
        },
      },
    );
    const load = startLoad(parley);

    await trouble("provider_unhealthy", {
      make: () => upstream.otherwise({ refusal: { status: 503 } }),
      mend: () => upstream.reset(),
    });
    await trouble("process_memory", { make: () => server.signal("SIGUSR2"), mend: () => server.signal("SIGUSR2") });

    // While the database is away nobody can read alerts: the webhook has them all the same.
    const cutAt = Date.now();
    line.cut();
    chronicle.tell("trouble: the database is cut off");
    for (const rule of ["database_away", "error_rate"]) {
      while (!receiver.taken.some(({ body }) => body.includes(`"${rule}"`))) {
        expect(Date.now() - cutAt, `the webhook is told of ${rule} while the database is away`).toBeLessThan(mostMs);
        await pause(100);
      }
      chronicle.tell(`the webhook is told: ${rule}`);
    }
    line.restore();
    chronicle.tell("mended: the database is back");
    const away = await alertOf("database_away", true);
    chronicle.tell(
      `alert resolved: database_away, open since ${((away.openedAt.getTime() - cutAt) / 1_000).toFixed(1)} s after the cut`,
      away.resolvedAt?.getTime(),
    );
    expect(away.openedAt.getTime()).toBeLessThan(cutAt + mostMs);
    const errors = await alertOf("error_rate", true);
    chronicle.tell(`alert resolved: error_rate (${errors.text})`, errors.resolvedAt?.getTime());
    await load.stop();

    const { tally } = load;
    const failedAnswers = tally.answers.get("failed") ?? 0;
    const unavailable = tally.failures.get("unavailable") ?? 0;
    chronicle.tell(`seen by the caller: ${tally.calls} calls, ${unavailable} unavailable, ${failedAnswers} answers failed`);
    expect(failedAnswers).toBeGreaterThan(0);
    expect(unavailable).toBeGreaterThan(0);

    const page = await (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })).text();
    const sumOf = (start: RegExp) =>
      page
        .split("\n")
        .filter((row) => start.test(row))
        .reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(" ") + 1)), 0);
    expect(sumOf(/^parley_runs_total\{status="failed"\}/)).toBe(failedAnswers);
    expect(sumOf(/^parley_call_errors_total\{.*reason="unavailable"\}/)).toBeGreaterThanOrEqual(unavailable);
    chronicle.tell(`the Prometheus page: ${sumOf(/^parley_runs_total\{status="failed"\}/)} runs failed`);

    const readSeries = async () => {
      const { series } = await parley.api.metrics.series.query({ range: "1h" });
      const drawn = (name: string) => series.find((each) => each.name === name)?.values.filter((value) => value !== null) ?? [];
      return {
        most: (name: string) => Math.max(...drawn(name)),
        total: (name: string) => drawn(name).reduce((sum, value) => sum + value, 0),
      };
    };
    await expect
      .poll(async () => (await readSeries()).total("runs_failed"), { timeout: mostMs, interval: 500 })
      .toBe(failedAnswers);
    const { most, total } = await readSeries();
    expect(most("process_memory")).toBeGreaterThan(500 * 1_024 * 1_024);
    expect(total("api_errors")).toBeGreaterThanOrEqual(unavailable);
    expect(most("error_rate")).toBeGreaterThan(0);
    chronicle.tell(
      `the series: ${total("runs_failed")} runs failed, ${Math.round(most("process_memory") / 1_048_576)} MB at the most, ${total("api_errors")} calls failed`,
    );

    const lines = readdirSync(path.join(folder, "logs"), { recursive: true })
      .map(String)
      .filter((name) => name.includes("parley") && name.endsWith(".log"))
      .flatMap((name) => readFileSync(path.join(folder, "logs", name), "utf8").split("\n"))
      .filter((text) => text.startsWith("{"))
      .map((text) => JSON.parse(text));
    expect(lines.filter(({ msg, status }) => msg === "run" && status === "failed").length).toBe(failedAnswers);
    expect(lines.filter(({ rule, state }) => rule === "database_away" && state === "opened")).toHaveLength(1);
    chronicle.tell(`the log: ${failedAnswers} lines of failed runs, one line for each alert`);

    const sent = receiver.taken.filter(({ path }) => path === "/alerts").map(({ body }) => JSON.parse(body));
    for (const rule of ["provider_unhealthy", "process_memory", "database_away", "error_rate"]) {
      const states = sent.filter(({ alert }) => alert.rule === rule).map(({ state }) => state);
      expect(states, `the webhook, of ${rule}`).toEqual(["opened", "resolved"]);
      expect(told.filter(({ title }) => title.endsWith(rule)).length, `the live stream, of ${rule}`).toBe(2);
    }
    const traces = receiver.taken.filter(({ path }) => path === "/v1/traces").map(({ body }) => body);
    expect(traces.some((body) => body.includes("provider_unavailable"))).toBe(true);
    chronicle.tell(`the webhook: ${sent.length} messages; the collector: ${traces.length} batches of spans`);
    live.unsubscribe();
    console.log(chronicle.print());
  }, 600_000);
});
