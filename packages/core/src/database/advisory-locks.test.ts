import { expect, test } from "vitest";
import { advisoryLocks } from "./advisory-locks.ts";

test("no two kinds of work wait for each other's lock", () => {
  const numbers = Object.values(advisoryLocks);
  expect(new Set(numbers).size).toBe(numbers.length);
});
