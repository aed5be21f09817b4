import stringWidth from "string-width";
import { expect, test } from "vitest";
import { align, cut } from "./table.ts";

const rows = [
  ["Title", "Id"],
  ["plain", "1"],
  ["שלום עולם", "2"],
  ["مرحبا بالعالم", "3"],
  ["你好，世界", "4"],
  ["👩‍👩‍👧‍👦 famille", "5"],
  ["e\u0301te\u0301", "6"],
];

test("columns begin at the same place whatever is written in them", () => {
  const lines = align(rows, [{}, {}], 80);
  const places = lines.map((line, index) => stringWidth(line.slice(0, line.lastIndexOf(rows[index]?.[1] ?? ""))));
  expect(new Set(places).size).toBe(1);
});

test("a line is never wider than the screen, and a character is never cut in two", () => {
  for (const most of [12, 17, 24, 30]) {
    for (const line of align(rows, [{}, { isNumber: true }], most)) expect(stringWidth(line)).toBeLessThanOrEqual(most);
  }
  const id = crypto.randomUUID();
  expect(align([[id, "a title that is long"]], [{ isWhole: true }, {}], 50)).toEqual([`${id}  a title tha…`]);
  expect(cut("你好，世界", 4)).toBe("你…");
  expect(cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)).toBe("👩‍👩‍👧‍👦…");
  expect(cut("short", 5)).toBe("short");
});

test("text from right to left stays in its cell", () => {
  const [, , hebrew = ""] = align(rows, [{}, {}], 80);
  expect(hebrew).toContain("\u2068שלום עולם\u2069");
});
