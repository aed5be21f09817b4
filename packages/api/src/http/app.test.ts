import { gunzipSync } from "node:zlib";
import type { CheckReport } from "@parley/core";
import { describe, expect, test } from "vitest";
import { createTestApp, createTestContext, createTestLog } from "./test-app.ts";

const post = (body: string, type = "application/json") => ({ method: "POST", body, headers: { "content-type": type } });

describe("every answer carries the security headers", () => {
  const preflight = { method: "OPTIONS", headers: { origin: "https://evil.example", "access-control-request-method": "POST" } };
  test.each<[string, string, RequestInit | undefined, number]>([
    ["a result", "/trpc/hello", undefined, 200],
    ["a batch", "/trpc/hello,me?batch=1", undefined, 207],
    ["an error of a call", "/trpc/crash", undefined, 500],
    ["an unknown procedure", "/trpc/nowhere", undefined, 404],
    ["HEAD", "/trpc/hello", { method: "HEAD" }, 204],
    ["a body too large", "/trpc/chat.send", post("x".repeat(2_000_000)), 413],
    ["a wrong type", "/trpc/chat.send", post("x", "text/plain"), 415],
    ["a stream", "/trpc/chat.count?input=%7B%22json%22%3A%7B%22to%22%3A1%7D%7D", undefined, 200],
    ["a streamed batch", "/trpc/hello?batch=1", { headers: { "trpc-accept": "application/jsonl" } }, 200],
    ["a foreign preflight", "/trpc/hello", preflight, 204],
    ["health", "/health", undefined, 200],
    ["the front page", "/", undefined, 200],
    ["the style", "/style.css", undefined, 200],
    ["nothing", "/nowhere", undefined, 404],
    ["nothing to POST to", "/health", post("{}"), 404],
    ["a host that is not served", "http://evil.example/", undefined, 403],
    ["a doubled slash", "http://localhost//health", undefined, 404],
  ])("%s", async (_, url, init, status) => {
    const response = await createTestApp().ask(url, init);
    expect(response.status).toBe(status);
    const { headers } = response;
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("same-origin");
    expect(headers.get("permissions-policy")).toContain("camera=()");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("x-request-id")).toBe("request-1");
    expect(headers.get("x-response-time")).toMatch(/^\d+\.\dms$/);
    expect(headers.get("strict-transport-security")).toBeNull();
    if (url !== "/style.css") expect(headers.get("cache-control")).toContain("no-store");
  });

  test("HSTS over TLS", async () => {
    const { headers } = await createTestApp().ask("https://localhost/nowhere");
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000; includeSubDomains; preload");
  });
});

describe("compression", () => {
  const ask = (path: string, encoding: string) => createTestApp().ask(path, { headers: { "accept-encoding": encoding } });

  test("a long answer is gzipped for whoever takes it", async () => {
    const response = await ask("/trpc/long", "br, gzip;q=0.8");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("vary")).toContain("accept-encoding");
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(bytes.byteLength).toBeLessThan(500);
    expect(gunzipSync(bytes).toString()).toContain("long text");
  });

  test.each([
    ["a short answer", "/trpc/hello", "gzip"],
    ["a client that says no", "/trpc/long", "gzip;q=0"],
    ["a client that says nothing of it", "/trpc/long", "br"],
    ["a stream", "/trpc/chat.count?input=%7B%22json%22%3A%7B%22to%22%3A99%7D%7D", "gzip"],
  ])("%s is left as it is", async (_, path, encoding) => {
    expect((await ask(path, encoding)).headers.get("content-encoding")).toBeNull();
  });

  test("a streamed batch is left as it is", async () => {
    const headers = { "accept-encoding": "gzip", "trpc-accept": "application/jsonl" };
    const response = await createTestApp().ask("/trpc/long?batch=1", { headers });
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.text()).toContain("long text");
  });
});

describe("health", () => {
  const operator = { headers: { authorization: "Bearer metrics-token" } };
  const answering = (status: CheckReport["status"]) => {
    const answer = async () => ({ status, checks: { redis: { status, ms: 2, detail: "refused" } } });
    return { health: answer, ready: answer };
  };

  test.each(["/health", "/api/v1/health"])("%s tells strangers no details", async (path) => {
    const response = await createTestApp().ask(path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok", version: "1.2.3", environment: "production", uptime: 42 });
    const wrong = await createTestApp().ask(path, { headers: { authorization: "Bearer metrics-toker" } });
    expect(await wrong.json()).not.toHaveProperty("checks");
  });

  test("tells operators everything", async () => {
    expect(await (await createTestApp().ask("/health", operator)).json()).toEqual({
      status: "ok",
      version: "1.2.3",
      environment: "production",
      uptime: 42,
      checks: { database: { status: "ok", ms: 1 } },
    });
  });

  test("tells an account details that may read the metrics, and no other", async () => {
    const { log } = createTestLog();
    const as = (permissions: string[]) =>
      createTestApp({
        async createContext(caller, { requestId }) {
          const context = await createTestContext(log, caller, requestId);
          return { ...context, actor: context.actor && { ...context.actor, permissions } };
        },
      });
    const good = { headers: { authorization: "Bearer good" } };
    for (const permissions of [["metrics.read"], ["*"]]) {
      expect(await (await as(permissions).ask("/health", good)).json()).toHaveProperty("checks");
      const expired = { headers: { authorization: "Bearer expired" } };
      expect(await (await as(permissions).ask("/health", expired)).json()).not.toHaveProperty("checks");
    }
    expect(await (await as(["users.manage"]).ask("/health", good)).json()).not.toHaveProperty("checks");
  });

  test("looks up few accounts in a second, whoever asks", async () => {
    const { ask, exchanges } = createTestApp();
    for (let time = 0; time < 50; time++) {
      const response = await ask("/health", { headers: { authorization: `Bearer plk_${time}` } });
      expect(response.status).toBe(200);
    }
    expect(exchanges).toHaveLength(10);
    expect(await (await ask("/health", operator)).json()).toHaveProperty("checks");
  });

  test("a foreign page's cookie opens nothing, and hinders nothing", async () => {
    const headers = { cookie: "parley_access=good", "x-parley": "1", origin: "https://evil.example" };
    const response = await createTestApp().ask("/health", { headers });
    expect(response.status).toBe(200);
    expect(await response.json()).not.toHaveProperty("checks");
  });

  test("what probes hear is no news, whatever it is", async () => {
    const { ask, lines } = createTestApp({ checks: answering("down") });
    for (const path of ["/health", "/ready", "/live", "/metrics"]) await ask(path);
    expect(lines.map(({ level, message }) => [level, message])).toEqual(Array(4).fill(["debug", "request"]));
  });

  test("tells nobody details where no token is set", async () => {
    const { ask } = createTestApp({ metricsToken: null });
    for (const authorization of ["Bearer ", "Bearer null", ""]) {
      expect(await (await ask("/health", { headers: { authorization } })).json()).not.toHaveProperty("checks");
    }
  });

  test.each([
    ["ok", 200],
    ["degraded", 200],
    ["down", 503],
  ] as const)("%s is %i", async (status, code) => {
    const { ask } = createTestApp({ checks: answering(status) });
    for (const path of ["/health", "/ready", "/api/v1/ready"]) {
      const response = await ask(path);
      expect(response.status).toBe(code);
      expect(await response.json()).toMatchObject({ status });
    }
  });

  test("a check that throws is down and logged, while the process lives", async () => {
    const failing = async () => {
      throw new Error("postgres://user:password@host");
    };
    const { ask, lines } = createTestApp({ checks: { health: failing, ready: failing } });
    const response = await ask("/ready");
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("password");
    expect(lines[0]?.level).toBe("error");
    expect((await ask("/live")).status).toBe(200);
    expect((await ask("/api/v1/live")).status).toBe(200);
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("the rest", () => {
  test("the front page says what runs here, without a script", async () => {
    const response = await createTestApp({ publicUrl: "https://chat.example" }).ask("/");
    const page = await response.text();
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(page).toContain("Parley");
    expect(page).toContain("1.2.3");
    expect(page).toContain('href="/health"');
    expect(page).toContain('url: "https://chat.example"');
    expect(page).not.toMatch(/<script|style=|<style/);
  });

  test("an unknown address is told in the shape of errors", async () => {
    const response = await createTestApp().ask("/nowhere");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({
      error: { data: { reason: "not_found", code: "NOT_FOUND", httpStatus: 404, requestId: "request-1" } },
    });
  });

  test("a route that somebody else mounted and that fails tells nothing", async () => {
    const { app, ask, lines } = createTestApp();
    app.get("/broken", () => {
      throw new Error("a secret of the code");
    });
    const response = await ask("/broken");
    expect(response.status).toBe(500);
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    const text = await response.text();
    expect(text).toContain('"reason":"internal"');
    expect(text).not.toContain("secret");
    expect(lines.map(({ level }) => level)).toEqual(["error", "warn"]);
  });

  test("a request is one line of the log, without its query and its headers", async () => {
    const { ask, lines } = createTestApp();
    await ask("/trpc/hello?input=%22secret%22", { headers: { authorization: "Bearer good" } });
    await ask("/trpc/me");
    await ask("/trpc/limited");
    expect(lines).toEqual([
      {
        level: "debug",
        message: "request",
        fields: { requestId: "request-1", method: "GET", path: "/trpc/hello", status: 200, ms: 0 },
      },
      { level: "info", message: "request", fields: expect.objectContaining({ status: 401 }) },
      { level: "info", message: "request", fields: expect.objectContaining({ status: 429 }) },
    ]);
  });

  test("a path of any length is a short line", async () => {
    const { ask, lines } = createTestApp();
    await ask(`/${"x".repeat(5_000)}`);
    expect(String(lines[0]?.fields.path)).toHaveLength(200);
  });
});
