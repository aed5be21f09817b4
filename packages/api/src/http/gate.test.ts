import { describe, expect, test } from "vitest";
import { createTestApp } from "./test-app.ts";

const statusOf = async (url: string, options: Parameters<typeof createTestApp>[0], init?: RequestInit, peer?: string) =>
  (await createTestApp(options).ask(url, init, peer)).status;

describe("a host", () => {
  test.each<[string, string[], string | null, number]>([
    ["http://localhost:3000", [], null, 200],
    ["http://127.0.0.1:3000", [], null, 200],
    ["http://[::1]:3000", [], null, 200],
    ["http://parley.localhost", [], null, 200],
    ["http://evil.example", [], null, 403],
    ["http://localhost.evil.example", [], null, 403],
    ["http://chat.example", [], "https://chat.example", 200],
    ["http://localhost", ["chat.example"], null, 403],
    ["http://CHAT.example:8080", ["chat.example"], null, 200],
    ["http://a.chat.example", ["*.chat.example"], null, 200],
    ["http://chat.example", ["*.chat.example"], null, 403],
    ["http://evilchat.example", ["*.chat.example"], null, 403],
    ["http://anything.example", ["*"], null, 200],
  ])("%s with %j and %s is %i", async (url, allowedHosts, publicUrl, status) => {
    expect(await statusOf(`${url}/trpc/hello`, { allowedHosts, publicUrl })).toBe(status);
  });

  test("that is refused is told in the shape of its route", async () => {
    const { ask } = createTestApp();
    const page = await (await ask("http://evil.example/")).json();
    expect(page).toMatchObject({ error: { data: { reason: "host_not_allowed", requestId: "request-1" } } });
    const call = await (await ask("http://evil.example/trpc/hello")).json();
    expect(call).toMatchObject({ error: { json: { data: { reason: "host_not_allowed", requestId: "request-2" } } } });
  });

  test("is taken from a trusted proxy only", async () => {
    const init = { headers: { "x-forwarded-host": "localhost" } };
    const options = { trustedProxies: ["loopback"] };
    expect(await statusOf("http://inside:3000/trpc/hello", options, init, "127.0.0.1")).toBe(200);
    expect(await statusOf("http://inside:3000/trpc/hello", options, init, "192.0.2.1")).toBe(403);
  });

  test("does not matter to probes", async () => {
    expect(await statusOf("http://10.1.2.3:3000/live", { requireHttps: true })).toBe(200);
  });
});

describe("where HTTPS is required", () => {
  const options = { requireHttps: true, trustedProxies: ["loopback"], publicUrl: "https://chat.example" };
  const over = (proto: string, method = "GET") => ({ method, headers: { "x-forwarded-proto": proto } });

  test("a GET is sent there, its query included", async () => {
    const response = await createTestApp(options).ask("http://chat.example/trpc/hello?x=1", over("http"), "127.0.0.1");
    expect(response.status).toBe(308);
    expect(response.headers.get("location")).toBe("https://chat.example/trpc/hello?x=1");
    expect(response.headers.get("strict-transport-security")).toBeNull();
  });

  test("a POST is refused, because its body has already travelled in the open", async () => {
    expect(await statusOf("http://chat.example/trpc/chat.clear", options, over("http", "POST"), "127.0.0.1")).toBe(403);
  });

  test("what came over TLS stays, and is told to come so again", async () => {
    const response = await createTestApp(options).ask("http://chat.example/trpc/hello", over("https"), "127.0.0.1");
    expect(response.status).toBe(200);
    expect(response.headers.get("strict-transport-security")).toContain("max-age=31536000");
  });

  test("nobody but a trusted proxy can say that it did", async () => {
    expect(await statusOf("http://chat.example/trpc/hello", options, over("https"), "192.0.2.1")).toBe(308);
    expect(await statusOf("http://chat.example/trpc/hello", options, over("https, http"), "127.0.0.1")).toBe(308);
  });

  test("development goes on without", async () => {
    expect(await statusOf("http://localhost/trpc/hello", { requireHttps: true, environment: "development" })).toBe(200);
  });
});

describe("a request's id", () => {
  const idOf = async (id: string, peer: string) => {
    const { ask } = createTestApp({ trustedProxies: ["loopback"] });
    return (await ask("/live", { headers: { "x-request-id": id } }, peer)).headers.get("x-request-id");
  };

  test("is kept from a trusted proxy when it is well formed", async () => {
    expect(await idOf("0b7c9e2a-trace", "127.0.0.1")).toBe("0b7c9e2a-trace");
    expect(await idOf("<script>alert(1)</script>", "127.0.0.1")).toBe("request-1");
    expect(await idOf("0b7c9e2a-trace", "192.0.2.1")).toBe("request-1");
  });
});

describe("CORS", () => {
  const listed = "https://web.example";
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-parley" },
  });
  const cors = (headers: Headers) => ({
    origin: headers.get("access-control-allow-origin"),
    credentials: headers.get("access-control-allow-credentials"),
  });

  test.each<[string, string[], string, string | null, string | null]>([
    ["a listed origin", [listed], listed, listed, "true"],
    ["another origin", [listed], "https://evil.example", null, null],
    ["the origin null", [listed], "null", null, null],
    ["our own origin", [], "http://localhost", "http://localhost", "true"],
    ["any origin where all may read", ["*"], "https://evil.example", "*", null],
    ["a listed origin where all may read", ["*", listed], listed, listed, "true"],
    ["an app's origin", ["capacitor://localhost"], "capacitor://localhost", "capacitor://localhost", "true"],
  ])("for %s", async (_, corsOrigins, origin, allowed, credentials) => {
    const { ask } = createTestApp({ corsOrigins });
    const call = await ask("/trpc/hello", { headers: { origin } });
    expect(call.status).toBe(200);
    expect(cors(call.headers)).toEqual({ origin: allowed, credentials });
    expect(call.headers.get("vary")).toContain("origin");
    const asked = await ask("/trpc/chat.clear", preflight(origin));
    expect(asked.status).toBe(204);
    expect(cors(asked.headers)).toEqual({ origin: allowed, credentials });
    expect(asked.headers.get("access-control-allow-headers")).toBe(allowed === null ? null : "content-type,x-parley");
    expect(asked.headers.get("access-control-max-age")).toBe(allowed === null ? null : "7200");
  });

  test("errors can be read by a listed page too", async () => {
    const { ask } = createTestApp({ corsOrigins: [listed] });
    for (const path of ["/trpc/me", "/trpc/nowhere", "/nowhere"]) {
      expect(cors((await ask(path, { headers: { origin: listed } })).headers).origin).toBe(listed);
    }
  });

  test("an entry that is no origin stops the start", () => {
    expect(() => createTestApp({ corsOrigins: ["web.example"] })).toThrow("CORS_ORIGINS");
  });
});
