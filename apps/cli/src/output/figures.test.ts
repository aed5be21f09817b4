import { expect, test } from "vitest";
import { figure, sparkline } from "./figures.ts";

test("figures have their unit, and no more digits than one reads", () => {
  expect(figure(123_456_789, "bytes")).toBe("123 MB");
  expect(figure(0, "bytes")).toBe("0 B");
  expect(figure(12.345, "percent")).toBe("12.3 %");
  expect(figure(0.123, "ms")).toBe("0.12 ms");
  expect(figure(7, "count")).toBe("7");
});

test("a line is as wide as wanted, shows peaks, and leaves out what nobody saw", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([0, 0, 0, 100, 0, 0], 3)).toBe("▁█▁");
  expect(sparkline([null, 5, null], 3)).toBe(" █ ");
  expect(sparkline([0, 0], 2)).toBe("▁▁");
  expect(sparkline([], 10)).toBe("");
  expect(sparkline([null, null], 10)).toBe("  ");
});
