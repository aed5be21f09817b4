import { expect, test } from "vitest";
import { causesOf, codeOf } from "./causes.ts";

test("a chain of causes is told outermost first, and one that bites its tail comes to an end", () => {
  const inner = new RangeError("inner");
  const outer = new Error("outer", { cause: inner });
  expect(causesOf(outer)).toEqual([outer, inner]);
  inner.cause = outer;
  expect(causesOf(outer)).toHaveLength(5);
  expect(causesOf("no error")).toEqual([]);
});

test("of an error its code is told, or its class, and nothing that a message may quote", () => {
  const inner = Object.assign(new RangeError("canary"), { code: "22P02" });
  expect(codeOf(new TypeError("canary", { cause: inner }))).toBe("22P02");
  expect(codeOf(new TypeError("canary"))).toBe("TypeError");
  expect(codeOf(Object.assign(new TypeError("canary"), { code: "canary of a\nperson" }))).toBe("TypeError");
  expect(codeOf({ code: "canary" })).toBe("error");
});
