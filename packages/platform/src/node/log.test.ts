import { DrizzleQueryError } from "drizzle-orm";
import { expect, test } from "vitest";
import { describeError } from "./log.ts";

test("a statement that failed is logged without what it was to write", () => {
  const cause = new Error("value out of range");
  const error = new DrizzleQueryError("update messages set content = $1", ["what she wrote", 7], cause);
  const logged = JSON.stringify(describeError(error));
  expect(logged).toContain("update messages set content = $1");
  expect(logged).toContain("value out of range");
  expect(logged).not.toContain("what she wrote");
});

test("any other error is logged as it is", () => {
  expect(describeError(new TypeError("no"))).toMatchObject({ type: "TypeError", message: "no" });
});
