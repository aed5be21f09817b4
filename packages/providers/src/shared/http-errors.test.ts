import { createServer, type RequestListener } from "node:http";
import { listenLocally } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { networkError, redact, retryAfterMs, troubleOf } from "./http-errors.ts";

test.each([
  [400, "bad_request"],
  [401, "auth"],
  [402, "quota"],
  [403, "auth"],
  [404, "bad_request"],
  [408, "overloaded"],
  [413, "bad_request"],
  [422, "bad_request"],
  [429, "rate"],
  [500, "overloaded"],
  [529, "overloaded"],
])("status %i is %s", (status, trouble) => {
  expect(troubleOf(status)).toBe(trouble);
});

describe("retryAfterMs", () => {
  const date = "Sat, 21 Nov 2026 12:00:00 GMT";
  const soon = "2026-11-21T12:00:07Z";
  const later = "2026-11-21T12:01:00Z";

  test.each<[string, Record<string, string>, number | undefined]>([
    ["seconds", { "retry-after": "12" }, 12_000],
    ["parts of a second", { "retry-after": "0.25" }, 250],
    ["a date, by the vendor's clock", { "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", date }, 30_000],
    ["a date that has passed", { "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT", date }, 0],
    ["milliseconds before seconds", { "retry-after-ms": "150", "retry-after": "1" }, 150],
    ["nothing", {}, undefined],
    ["nonsense", { "retry-after": "soon" }, undefined],
    [
      "the reset of what is used up, where nothing else is said",
      {
        date,
        "anthropic-ratelimit-requests-remaining": "12",
        "anthropic-ratelimit-requests-reset": later,
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": soon,
      },
      7_000,
    ],
    [
      "the last reset where several are used up",
      {
        date,
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": later,
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": soon,
      },
      60_000,
    ],
  ])("%s", (_name, headers, expected) => {
    expect(retryAfterMs(new Headers(headers))).toBe(expected);
  });
});

describe("redact", () => {
  test("takes every key out, also one within another and one in an address", () => {
    const keys = ["sk-1", "sk-1-long", "a+b/c=", ""];
    expect(redact("sk-1-long, sk-1 and ?key=a%2Bb%2Fc%3D or a+b/c=", keys)).toBe("[key], [key] and ?key=[key] or [key]");
  });

  test("finds a key as JSON has it", () => {
    const key = 'a"b/c\\d';
    const text = `${JSON.stringify({ key })} ${JSON.stringify({ key }).replaceAll("/", "\\/")}`;
    expect(redact(text, [key])).toBe('{"key":"[key]"} {"key":"[key]"}');
  });

  test("cuts what is endless", () => {
    expect(redact("x".repeat(10_000), []).length).toBeLessThan(600);
  });

  test("cuts after the keys are out, so that no half of one stays", () => {
    expect(redact(`${"x".repeat(495)}sk-canary`, ["sk-canary"])).not.toContain("sk-c");
  });
});

describe("networkError", () => {
  test("names what failed, and not the address", async () => {
    const { server, url } = await listen(() => {});
    await new Promise((resolve) => server.close(resolve));
    const error = await fetch(`${url}/?key=sk-canary`).catch((error: unknown) => networkError(error, "Claude"));
    expect(error).toMatchObject({ trouble: "network", message: "The connection to Claude failed (ECONNREFUSED)" });
    expect(error).not.toHaveProperty("cause", expect.anything());
  });

  test("knows a connection that breaks in the middle of a body", async () => {
    const { server, url } = await listen((_request, response) => void response.write("some", () => response.destroy()));
    const response = await fetch(url);
    const error = await response.text().catch((error: unknown) => networkError(error, "Claude"));
    expect(error).toMatchObject({ trouble: "network" });
    server.close();
  });

  test("knows the connection that a Worker lost", () => {
    expect(networkError(new Error("Network connection lost."), "Claude")).toMatchObject({ trouble: "network" });
  });

  test("leaves other failures alone", () => {
    expect(networkError(new TypeError("x is not a function"), "Claude")).toBeUndefined();
    expect(networkError(Object.assign(new Error("bad"), { code: "ERR_INVALID_URL" }), "Claude")).toBeUndefined();
    expect(networkError("fetch failed", "Claude")).toBeUndefined();
  });
});

async function listen(listener: RequestListener) {
  const server = createServer(listener);
  const { url } = await listenLocally(server);
  return { server, url };
}
