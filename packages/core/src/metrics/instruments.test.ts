import { describe, expect, test } from "vitest";
import { addReadings } from "./buckets.ts";
import { createInstruments, quantile } from "./instruments.ts";
import { createMeters } from "./meters.ts";
import { rounded } from "./readings.ts";

const cellsOf = <Cell>({ cells }: { cells(): Iterable<Cell> }) => Array.from(cells());

describe("instruments", () => {
  test("count apart what has different labels, and together what has the same", () => {
    const calls = createInstruments().counter({ name: "calls_total", help: "", labels: ["procedure", "reason"] });
    calls.add(1, "a", "b");
    calls.add(2, "a", "b");
    calls.add(1, "a", "c");
    expect(cellsOf(calls)).toEqual([
      { labels: ["a", "b"], value: 3 },
      { labels: ["a", "c"], value: 1 },
    ]);
  });

  test("keep a bounded number of labels, whatever they are given: the rest is other", () => {
    const { counter, histogram } = createInstruments();
    const counted = counter({ name: "counted_total", help: "", labels: ["provider", "model"] });
    const timed = histogram({ name: "timed_seconds", help: "", labels: ["provider", "model"], bounds: [1] });
    for (let index = 0; index < 5_000; index++) {
      counted.add(1, "vendor", `model-${index}`);
      timed.observe(0.5, "vendor", `model-${index}`);
    }
    counted.add(1, "vendor", "model-0");
    const sum = cellsOf(counted).reduce((total, { value }) => total + value, 0);
    expect(sum).toBe(5_001);
    expect(cellsOf(counted).find(({ labels }) => labels[1] === "model-0")?.value).toBe(2);
    expect(cellsOf(counted)).toHaveLength(301);
    expect(cellsOf(timed)).toHaveLength(301);
    expect(cellsOf(counted).at(-1)).toEqual({ labels: ["other", "other"], value: 4_700 });
    expect(cellsOf(timed).at(-1)).toMatchObject({ labels: ["other", "other"], counts: [4_700, 0] });
  });

  test("a histogram counts to the upper end of a bucket, and knows its largest until it is forgotten", () => {
    const timed = createInstruments().histogram({ name: "timed_seconds", help: "", bounds: [1, 2] });
    for (const seconds of [0.5, 1, 1.5, 7]) timed.observe(seconds);
    expect(cellsOf(timed)).toEqual([{ labels: [], counts: [2, 1, 1], sum: 10, most: 7 }]);
    timed.forgetMost();
    timed.observe(0.25);
    expect(cellsOf(timed)).toEqual([{ labels: [], counts: [3, 1, 1], sum: 10.25, most: 0.25 }]);
  });
});

describe("what was counted in one place and is added in another", () => {
  function place(bounds: number[] = [1, 2]) {
    const instruments = createInstruments();
    const counted = instruments.counter({ name: "counted_total", help: "", labels: ["what"] });
    const timed = instruments.histogram({ name: "timed_seconds", help: "", labels: ["what"], bounds });
    return { ...instruments, counted, timed };
  }

  test("is there once, however often it is taken and by whom", () => {
    const [here, there, sums] = [place(), place(), place()];
    here.counted.add(2, "a");
    there.counted.add(1, "a");
    for (const seconds of [0.5, 7]) here.timed.observe(seconds, "a");
    for (const each of [here, there, here, there]) sums.add(each.take());
    there.timed.observe(1.5, "a");
    for (const each of [here, there]) sums.add(structuredClone(each.take()));
    expect(cellsOf(sums.counted)).toEqual([{ labels: ["a"], value: 3 }]);
    expect(cellsOf(sums.timed)).toEqual([{ labels: ["a"], counts: [1, 1, 1], sum: 9, most: 7 }]);
    expect(here.take()).toEqual([]);
    expect(cellsOf(here.timed)).toEqual([]);
  });

  test("stays bounded, and what another version has or has in other buckets is left out", () => {
    const sums = place();
    for (let index = 0; index < 1_000; index++) {
      sums.add([{ name: "counted_total", cells: [{ labels: [`label-${index}`], value: 1 }] }]);
    }
    expect(cellsOf(sums.counted)).toHaveLength(301);
    const other = place([1, 2, 3]);
    other.timed.observe(2.5, "a");
    sums.add(other.take());
    sums.add([{ name: "unknown_total", cells: [{ labels: [], value: 1 }] }]);
    expect(cellsOf(sums.timed)).toEqual([]);
  });
});

describe("a quantile", () => {
  const bounds = [1, 2, 4];

  test("is never more than what was observed", () => {
    expect(quantile({ counts: [0, 0, 1, 0], most: 2.1 }, bounds, 0.99)).toBeLessThanOrEqual(2.1);
    expect(quantile({ counts: [3, 0, 0, 0], most: 0.2 }, bounds, 1)).toBe(0.2);
    expect(quantile({ counts: [0, 0, 0, 1], most: 9 }, bounds, 1)).toBe(9);
  });

  test("lies in the bucket where its share of all is", () => {
    expect(quantile({ counts: [50, 50, 0, 0], most: 2 }, bounds, 0.5)).toBe(1);
    expect(quantile({ counts: [50, 50, 0, 0], most: 2 }, bounds, 0.75)).toBe(1.5);
    expect(quantile({ counts: [99, 0, 0, 1], most: 60 }, bounds, 0.99)).toBe(1);
  });

  test("of nothing is nothing", () => {
    expect(quantile({ counts: [0, 0, 0, 0], most: 0 }, bounds, 0.5)).toBeNull();
  });
});

describe("readings are joined", () => {
  test("by their kind: counts are summed, means weighed, extremes kept", () => {
    const sample = { readings: 3, values: { cpu_usage: 10, api_calls: 100, error_rate: 1, process_memory: 5 } };
    addReadings(sample, { readings: 1, values: { cpu_usage: 30, api_calls: 300, error_rate: 5, process_memory: 4 } });
    expect(sample).toEqual({ readings: 4, values: { cpu_usage: 15, api_calls: 400, error_rate: 4, process_memory: 5 } });
  });

  test("a reading without calls says nothing about how long calls take", () => {
    const sample = { readings: 0, values: {} };
    const busy = { readings: 1, values: { api_calls: 10, api_response_time: 100 } };
    for (const more of [busy, { readings: 1, values: { api_calls: 0 } }, busy]) addReadings(sample, more);
    expect(sample.values).toEqual({ api_calls: 20, api_response_time: 100 });
  });

  test("and kept with as many digits as are worth it", () => {
    expect(rounded({ cpu_usage: 12.3456, process_memory: 1_000.4, cost: 0.12345678, api_calls: 12_345_678 })).toEqual({
      cpu_usage: 12.35,
      process_memory: 1_000,
      cost: 0.123457,
      api_calls: 12_345_678,
    });
  });
});

test("names say unit and kind as Prometheus wants it, and no two are the same", () => {
  const { all } = createMeters().instruments;
  for (const { name, kind, labels = [] } of all) {
    expect(name).toMatch(/^parley_[a-z0-9_]+$/);
    expect(name.endsWith("_total")).toBe(kind === "counter");
    if (kind === "histogram") expect(name).toMatch(/_seconds$/);
    for (const label of labels) expect(label).toMatch(/^(?!le$|quantile$)[a-z_]+$/);
  }
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});
