import { createInstruments } from "@parley/core/metrics";
import { parseMetrics } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { exposed } from "./exposition.ts";

describe("what Prometheus reads", () => {
  test("is what was meant, whatever is in a label", () => {
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
});
