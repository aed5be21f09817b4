import stringWidth from "string-width";
import { expect, test } from "vitest";
import type { Figures } from "./api.ts";
import { drawFigures } from "./draw.ts";

const at = new Date("2026-11-21T20:00:00Z");
const figures: Figures = {
  nodes: [
    {
      name: "first",
      at,
      values: { messages: 3, cpu_usage: 12.34, "newer\u001b[2J": 1 },
      details: { version: "1.0.0", runtime: "Node 20", os: "Linux", cores: 2, startedAt: at },
    },
  ],
  units: { cpu_usage: "percent", messages: "count" },
  database: null,
  series: [{ name: "cpu_usage", unit: "percent", node: "first", values: [null, 0, 50, 100] }],
  alerts: [
    {
      id: "alert",
      rule: "cpu",
      subject: "first",
      severity: "critical",
      text: "Busy\u001b[2J\nfor long",
      value: 97,
      threshold: 90,
      unit: "percent",
      openedAt: at,
      seenAt: at,
      resolvedAt: null,
    },
  ],
};

test("what is wrong comes first, then each figure with its line, and what is not known has none", () => {
  expect(drawFigures(figures, "1h", { columns: 60 }).split("\n")).toEqual([
    "! Busy[2J for long (since 2026-11-21T20:00:00.000Z)",
    "",
    "first 1.0.0, at 2026-11-21T20:00:00.000Z, the last 1h",
    "cpu_usage          12.3 %   ▁▅█",
    "messages                3",
    "newer[2J                1",
    "",
  ]);
});

test("it stays within the screen", () => {
  const many = { ...figures, series: [{ name: "cpu_usage", unit: "percent", node: "first", values: Array(120).fill(1) }] };
  const lines = drawFigures(many, "1h", { columns: 60, rows: 4 }).trimEnd().split("\n");
  expect(lines).toHaveLength(4);
  expect(Math.max(...lines.slice(3).map((line) => stringWidth(line)))).toBeLessThanOrEqual(60);
});
