import { expect, test } from "vitest";
import { firstWords } from "./records.ts";

test("a title of first words ends after a word, and with whole characters", () => {
  expect(firstWords("  What is\n a parley? ")).toBe("What is a parley?");
  expect(firstWords(" \n")).toBe("…");
  expect(firstWords("word ".repeat(20))).toBe(`${"word ".repeat(11)}word…`);
  expect(firstWords(`${"x".repeat(59)}🙂 and more`)).toBe(`${"x".repeat(59)}…`);
  expect(firstWords(`${"x".repeat(58)}👋🏽 and more`)).toBe(`${"x".repeat(58)}…`);
});
