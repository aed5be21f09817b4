import { gunzipSync } from "node:zlib";
import { createInstruments } from "@parley/core/metrics";
import { describe, expect, test } from "vitest";
import { exposed } from "./exposition.ts";
import { createTestApp } from "./test-app.ts";

const operator = { authorization: "Bearer metrics-token" };

describe("the page of metrics", () => {
  test("is nowhere for who has not the token, and where none is set", async () => {
    const { ask } = createTestApp();
    const nothing = await ask("/nothing-here");
    const shape = async (response: Response) => {
      const { error } = await response.json();
      return { status: response.status, message: error.message, reason: error.data.reason };
    };
    const expected = await shape(nothing);
    expect(expected.status).toBe(404);
    for (const authorization of [
      "",
      "Bearer",
      "Bearer ",
      "Bearer metrics-toker",
      "Bearer metrics-token2",
      "metrics-token",
      "Basic x",
    ]) {
      expect(await shape(await ask("/metrics", { headers: { authorization } }))).toEqual(expected);
    }
    const closed = createTestApp({ metricsToken: null });
    for (const authorization of ["", "Bearer ", "Bearer null"]) {
      expect(await shape(await closed.ask("/metrics", { headers: { authorization } }))).toEqual(expected);
    }
  });

  test("comes in the text format, not to be kept, and compressed for who asks", async () => {
    const instruments = createInstruments();
    const counted = instruments.counter({ name: "counted_total", help: "Counted", labels: ["number"] });
    for (let index = 0; index < 100; index++) counted.add(1, String(index));
    const { ask } = createTestApp({ metricsPage: () => exposed(instruments.all) });
    const plain = await ask("/metrics", { headers: operator });
    expect(plain.status).toBe(200);
    expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(plain.headers.get("cache-control")).toBe("no-store");
    expect(plain.headers.get("content-encoding")).toBeNull();
    const text = await plain.text();
    const small = await ask("/metrics", { headers: { ...operator, "accept-encoding": "gzip" } });
    expect(small.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await small.arrayBuffer()).toString()).toBe(text);
  });
});
