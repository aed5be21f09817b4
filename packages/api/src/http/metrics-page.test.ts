import { gunzipSync } from "node:zlib";
import { createInstruments } from "@parley/core";
import { parseMetrics } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { exposed } from "./metrics-page.ts";
import { createTestApp } from "./test-app.ts";

const operator = { authorization: "Bearer metrics-token" };

describe("the page of metrics", () => {
  test("is read by a parser as it was meant, whatever is in a label", () => {
    const instruments = createInstruments();
    const hostile = ['say "hi"', "back\\slash", "two\nlines", '\\" } 1\n# TYPE evil counter', "", "שלום {}=,"];
    const counted = instruments.counter({ name: "counted_total", help: 'A "help"\nwith \\ two lines', labels: ["name"] });
    for (const [index, name] of hostile.entries()) counted.add(index + 1, name);
    const page = parseMetrics(exposed([counted]));
    expect(page).toHaveLength(1);
    expect(page[0]).toMatchObject({ name: "counted_total", type: "COUNTER" });
    expect(page[0]?.metrics.map(({ labels, value }) => [labels?.name, Number(value)])).toEqual(
      hostile.map((name, index) => [name, index + 1]),
    );
  });

  test("a histogram's buckets hold all below them, to infinity", () => {
    const { histogram } = createInstruments();
    const timed = histogram({ name: "timed_seconds", help: "Time", labels: ["what"], bounds: [0.1, 1] });
    for (const seconds of [0.05, 0.5, 0.5, 5]) timed.observe(seconds, "a");
    const page = exposed([timed]);
    expect(parseMetrics(page)).toMatchObject([
      { name: "timed_seconds", type: "HISTOGRAM", metrics: [{ buckets: { "0.1": "1", "1": "3", "+Inf": "4" } }] },
    ]);
    expect(page.split("\n")).toEqual(
      expect.arrayContaining(['timed_seconds_sum{what="a"} 6.05', 'timed_seconds_count{what="a"} 4']),
    );
  });

  test("numbers without an end are written as Prometheus writes them", () => {
    const { gauge } = createInstruments();
    const cells = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e21, 1e-7];
    const odd = gauge({ name: "odd", help: "Odd", labels: ["n"] }, () =>
      cells.map((value, n) => ({ labels: [String(n)], value })),
    );
    const lines = exposed([odd]).trim().split("\n").slice(2);
    expect(lines.map((line) => line.split(" ")[1])).toEqual(["+Inf", "-Inf", "NaN", "1e+21", "1e-7"]);
  });

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
