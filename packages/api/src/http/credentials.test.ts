import { describe, expect, test } from "vitest";
import { checkOrigin, readToken } from "./credentials.ts";
import { createGate } from "./gate.ts";
import { createTestApp } from "./test-app.ts";

const options = { corsOrigins: ["https://web.example"], allowedHosts: ["parley.example"] };
const plainCookie = { cookie: "theme=dark; parley_access=good" };
const secureCookie = { cookie: "__Host-parley_access=good" };
const proof = { "x-parley": "1" };

type Outcome = "ada" | "guest" | "origin_not_allowed" | "token_expired";

async function outcome(headers: Record<string, string>, url = "http://parley.example"): Promise<Outcome> {
  const response = await createTestApp(options).ask(`${url}/trpc/me`, { headers });
  const { result, error } = await response.json();
  if (result) return result.data.json.userId;
  return error.json.data.reason === "unauthenticated" ? "guest" : error.json.data.reason;
}

describe("tokens", () => {
  test.each<[string, Record<string, string>, Outcome]>([
    ["nothing", {}, "guest"],
    ["a bearer token", { authorization: "Bearer good" }, "ada"],
    ["a bearer token in small letters", { authorization: "bearer good" }, "ada"],
    ["a bad bearer token", { authorization: "Bearer bad" }, "token_expired"],
    ["an empty bearer token", { authorization: "Bearer " }, "token_expired"],
    ["a proxy's basic authorization", { authorization: "Basic YTpi" }, "guest"],
    ["an API key", { "x-api-key": "good" }, "ada"],
    ["a bad API key", { "x-api-key": "bad" }, "token_expired"],
    ["a bearer token from a foreign page", { authorization: "Bearer good", origin: "https://evil.example" }, "ada"],
    [
      "a bearer token beside a foreign cookie",
      { authorization: "Bearer good", ...plainCookie, origin: "https://evil.example" },
      "ada",
    ],
  ])("%s", async (_, headers, expected) => {
    expect(await outcome(headers)).toBe(expected);
  });
});

describe("a cookie", () => {
  const own = { origin: "http://parley.example" };
  test.each<[string, Record<string, string>, Outcome]>([
    ["with our origin and the header", { ...plainCookie, ...own, ...proof }, "ada"],
    ["with a listed origin and the header", { ...plainCookie, origin: "https://web.example", ...proof }, "ada"],
    ["with our origin but no header", { ...plainCookie, ...own }, "guest"],
    ["with our origin and a wrong header", { ...plainCookie, ...own, "x-parley": "0" }, "guest"],
    ["with a foreign origin", { ...plainCookie, origin: "https://evil.example", ...proof }, "origin_not_allowed"],
    ["with our name on another port", { ...plainCookie, origin: "http://parley.example:8080", ...proof }, "origin_not_allowed"],
    ["with our name over another scheme", { ...plainCookie, origin: "https://parley.example", ...proof }, "origin_not_allowed"],
    ["with the origin null", { ...plainCookie, origin: "null", ...proof }, "origin_not_allowed"],
    [
      "with a name that ends like a listed one",
      { ...plainCookie, origin: "https://not-web.example", ...proof },
      "origin_not_allowed",
    ],
    [
      "with no origin, from the same origin as the browser says",
      { ...plainCookie, "sec-fetch-site": "same-origin", ...proof },
      "ada",
    ],
    ["with no origin, from a sibling", { ...plainCookie, "sec-fetch-site": "same-site", ...proof }, "origin_not_allowed"],
    ["with no origin, from elsewhere", { ...plainCookie, "sec-fetch-site": "cross-site" }, "origin_not_allowed"],
    ["with no origin, typed into the address bar", { ...plainCookie, "sec-fetch-site": "none", ...proof }, "guest"],
    ["with no origin at all", { ...plainCookie, ...proof }, "guest"],
    ["of ours that is bad", { cookie: "parley_access=bad", ...own, ...proof }, "token_expired"],
    ["of somebody else", { cookie: "session=good; xparley_access=good", ...own, ...proof }, "guest"],
    ["for HTTPS on plain HTTP", { ...secureCookie, ...own, ...proof }, "guest"],
  ])("%s", async (_, headers, expected) => {
    expect(await outcome(headers)).toBe(expected);
  });

  test("over HTTPS counts only under its protected name", async () => {
    const headers = { origin: "https://parley.example", ...proof };
    expect(await outcome({ ...headers, ...secureCookie }, "https://parley.example")).toBe("ada");
    expect(await outcome({ ...headers, ...plainCookie }, "https://parley.example")).toBe("guest");
  });
});

describe("an upgrade", () => {
  const gate = createGate({
    ...options,
    environment: "production",
    publicUrl: null,
    trustedProxies: [],
    requireHttps: false,
    requestId: () => "request",
    now: () => 0,
  });
  const open = (record: Record<string, string>) => {
    const headers = { get: (name: string) => record[name] ?? null };
    return gate.open({ method: "GET", url: "http://parley.example/trpc", headers }, "192.0.2.1");
  };

  test("takes the cookie with an allowed origin alone, since it cannot carry a header", () => {
    expect(readToken(open({ ...plainCookie, origin: "http://parley.example" }), "origin")).toBe("good");
    expect(readToken(open({ ...plainCookie, origin: "https://web.example" }), "origin")).toBe("good");
    expect(readToken(open(plainCookie), "origin")).toBeNull();
  });

  test("is refused to a foreign page, cookie or not, and open to a program", () => {
    const foreign = { reason: "origin_not_allowed" };
    expect(() => checkOrigin(open({ origin: "https://evil.example" }))).toThrow(expect.objectContaining(foreign));
    expect(() => readToken(open({ ...plainCookie, origin: "https://evil.example" }), "origin")).toThrow(
      expect.objectContaining(foreign),
    );
    expect(() => checkOrigin(open({}))).not.toThrow();
  });
});
