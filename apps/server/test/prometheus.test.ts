import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseMetrics } from "@parley/testing";
import { parser } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse as parseYaml } from "yaml";
import * as z from "zod";
import { type TestApp, testApp } from "./kit.ts";
import { places } from "./workerd.ts";

const token = "metrics-token-of-this-test";
const beside = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../docs/operations/${name}`, import.meta.url)), "utf8");

const Rule = z.strictObject({
  alert: z.string().regex(/^Parley[A-Za-z]+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
  annotations: z.strictObject({ summary: z.string() }),
});
const Rules = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule).min(10) })) });
const Panel = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  gridPos: z.object({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
  targets: z.array(z.object({ expr: z.string() })).default([]),
});
const Dashboard = z.object({ title: z.literal("Parley"), schemaVersion: z.int(), panels: z.array(Panel).min(10) });

const rules = Rules.parse(parseYaml(beside("prometheus-alerts.yml"))).groups.flatMap((group) => group.rules);
const dashboard = Dashboard.parse(JSON.parse(beside("grafana-dashboard.json")));
// What Grafana puts in for its variables.
const filled = (expression: string) => expression.replaceAll("$__rate_interval", "1m").replace(/\$(job|instance)/g, ".*");
const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr: filled(expr) }))),
];

/** The metrics that it asks for, or where it is no PromQL. */
function read(expression: string): { names: string[]; wrongAt: number[] } {
  const found = { names: [] as string[], wrongAt: [] as number[] };
  parser.parse(expression).iterate({
    enter({ type, name, from, to, node }) {
      if (type.isError) found.wrongAt.push(from);
      if (name === "Identifier" && node.parent?.name === "VectorSelector") found.names.push(expression.slice(from, to));
    },
  });
  return found;
}

test("what reads PromQL finds names and mistakes", () => {
  expect(read('sum by (le) (rate(a_total{b="c"}[5m])) / d > 1')).toEqual({ names: ["a_total", "d"], wrongAt: [] });
  expect(read("sum by (le (rate(a_total[5m]))").wrongAt).not.toEqual([]);
});

test("panels do not lie over each other, and have ids of their own", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

/** What a worker has not: there is no process, no machine and no disk to tell of, and no number of connections. */
const notOnWorkers = new Set([
  "process_start_time_seconds",
  "process_resident_memory_bytes",
  "process_cpu_seconds_total",
  "nodejs_heap_size_used_bytes",
  "nodejs_heap_size_total_bytes",
  "nodejs_heap_size_limit_bytes",
  "nodejs_eventloop_lag_p50_seconds",
  "nodejs_eventloop_lag_p99_seconds",
  "nodejs_eventloop_lag_max_seconds",
  "parley_machine_memory_bytes",
  "parley_machine_memory_used_bytes",
  "parley_machine_cpu_ratio",
  "parley_machine_load_average",
  "parley_disk_size_bytes",
  "parley_disk_free_bytes",
  "parley_database_statements_active",
  "parley_database_connections",
]);

describe.each(places.filter((place) => place !== "postgres"))("the page of a server that has worked, on %s", (database) => {
  const isWorker = database === "workerd";
  const isThere = (name: string) => !isWorker || !notOnWorkers.has(name);
  let app: TestApp;
  let page: ReturnType<typeof parseMetrics>;
  let text: string;
  beforeAll(async () => {
    app = await testApp({ database, env: { METRICS_TOKEN: token, METRICS_INTERVAL: isWorker ? "1s" : "30s" } });
    const { api } = await app.person("websocket");
    const { answer, conversationId } = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    await new Promise<void>((resolve, reject) => {
      const sink = { onComplete: resolve, onError: reject };
      api.chat.follow.subscribe({ runId: answer?.runId ?? "" }, sink);
    });
    await api.chat.messages.get.query({ id: conversationId }).catch(() => {});
    // A worker counts in batches, and its gauges are those of the last readings.
    text = await pageWith('parley_runs_total{status="completed"} 1', 'reason="not_found"} 1', "parley_sockets 1");
    page = parseMetrics(text);
  });
  afterAll(() => app.stop());

  async function pageWith(...lines: string[]): Promise<string> {
    const look = async () => {
      const response = await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      const found = await response.text();
      for (const line of lines) expect(found).toContain(line);
      return found;
    };
    return vi.waitFor(look, { timeout: 10_000, interval: 100 });
  }

  const samplesOf = (name: string) => page.find((family) => family.name === name)?.metrics ?? [];
  const one = (name: string) => Number(samplesOf(name)[0]?.value);

  test("has no line that the parser does not understand, and explains each metric once", () => {
    const told = text.split("\n").filter((line) => line.startsWith("# TYPE "));
    expect(page.map(({ name }) => name).sort()).toEqual(told.map((line) => line.split(" ")[2]).sort());
    for (const { name, help, type } of page) {
      expect(name).toMatch(/^(parley|process|nodejs)_[a-z0-9_]+$/);
      expect(help.length).toBeGreaterThan(3);
      if (type !== "GAUGE") expect(name.endsWith("_total")).toBe(type === "COUNTER");
    }
  });

  test("tells what has happened", () => {
    expect(samplesOf("parley_runs_total")).toEqual([{ value: "1", labels: { status: "completed" } }]);
    expect(samplesOf("parley_model_calls_total")).toMatchObject([
      { value: "1", labels: { provider: "demo", outcome: "completed" } },
    ]);
    expect(samplesOf("parley_call_errors_total")).toContainEqual({
      value: "1",
      labels: { procedure: "chat.messages.get", reason: "not_found" },
    });
    expect(one("parley_sockets")).toBe(1);
    if (!isWorker) {
      expect(one("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
      expect(one("process_cpu_seconds_total")).toBeGreaterThan(0);
      expect(Math.abs(Date.now() / 1_000 - one("process_start_time_seconds"))).toBeLessThan(3_600);
    }
    expect(samplesOf("parley_dependency_up")).toEqual([
      { value: "1", labels: { dependency: "database" } },
      { value: "1", labels: { dependency: "eventLog" } },
    ]);
    expect(samplesOf("parley_provider_keys")).toContainEqual({ value: "1", labels: { provider: "demo", state: "ready" } });
    expect(samplesOf("parley_database_rows").map(({ labels }) => labels?.table)).toEqual(
      expect.arrayContaining(["users", "messages", "runs"]),
    );
  });

  test("no label comes from outside", async () => {
    const before = new Set(labelsOf(text));
    for (const path of ["chat.secret-name", "made.up", "__proto__", "auth.me/x"]) await fetch(`${app.url}/trpc/${path}`);
    await fetch(`${app.url}/secret-path?secret=1`, { method: "DELETE", headers: { "user-agent": "secret-agent" } });
    await app
      .client(null)
      .auth.login.mutate({ identifier: "secret-person", password: "x" })
      .catch(() => {});
    await app
      .client("secret-token")
      .model.get.query({ id: "secret-model" })
      .catch(() => {});
    await app
      .client(null)
      .model.get.query({ id: "secret-model" })
      .catch(() => {});
    const after = await pageWith('{procedure="auth.login",reason="invalid_credentials"} 1');
    expect(after).not.toMatch(/secret|made\.up|__proto__/);
    for (const label of labelsOf(after)) if (!before.has(label)) expect(label).toMatch(/^(procedure|reason|status|le)=/);
  });

  test.each(expressions)("$where: $expr", ({ expr }) => {
    const { names, wrongAt } = read(expr);
    expect(wrongAt).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
    const known = new Set(page.map(({ name }) => name));
    for (const name of names) {
      const metric = name.replace(/(?<=_seconds)_(bucket|sum|count)$/, "");
      if (name !== "up" && isThere(metric)) expect(known).toContain(metric);
    }
  });

  test("every metric of the page is in the operators' guide, and every one of the guide on the page", () => {
    const told = Array.from(
      beside("metrics.md").matchAll(/^\| `([a-z0-9_]+)` \| (?:gauge|counter|histogram)/gm),
      ([, name = ""]) => name,
    );
    expect(told.filter(isThere).sort()).toEqual(page.map(({ name }) => name).sort());
    if (isWorker) expect(told).toEqual(expect.arrayContaining([...notOnWorkers]));
  });

  test("every series is in the operators' guide, with its unit", async () => {
    const admin = await app.client(null).auth.login.mutate({ identifier: app.first.email, password: "Correct-horse-1" });
    if ("next" in admin) throw new Error("The account has to be verified first");
    const { units } = await app.client(admin.tokens.accessToken ?? "").metrics.current.query();
    const told = Array.from(beside("metrics.md").matchAll(/^\| `([a-z0-9_]+)` \| ([a-zA-Z/%]+) \| (?:mean|sum|most|by )/gm));
    expect(Object.fromEntries(told.map(([, name, unit]) => [name, unit]))).toEqual(units);
  });
});

const labelsOf = (text: string) => Array.from(text.matchAll(/[{,]([a-z]+="[^"]*")/g), ([, label = ""]) => label);
