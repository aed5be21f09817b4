import superjson from "superjson";
import { expect, test } from "vitest";
import { serializePlain } from "./serialize-plain.ts";

/** A new one each time: superjson also writes down which are the same object, which nobody here reads. */
const when = () => new Date("2026-01-02T03:04:05.678Z");

test.each([
  ["nothing", null],
  ["a word", "word"],
  ["a date", when()],
  ["nested dates", { a: { b: [1, { c: when() }], d: when() }, e: [] }],
  ["keys with dots and backslashes", { "a.b": { "c\\d": when() } }],
  ["no dates", { a: [1, "x", true, null, { b: {} }] }],
])("%s has the bytes that superjson gives it", (_, value) => {
  expect(JSON.stringify(serializePlain(value))).toBe(JSON.stringify(superjson.serialize(value)));
});

test("superjson reads it back", () => {
  const value = { at: when(), list: [{ "x.y": when() }], text: "t" };
  expect(superjson.parse(JSON.stringify(serializePlain(value)))).toEqual(value);
});

test.each([[new Map()], [1n], [Number.NaN], [-0], [{ a: [undefined] }], [{ a: new Set() }], [() => 1], [new Date("no date")]])(
  "%s is left to superjson",
  (value) => {
    expect(serializePlain({ value })).toBeUndefined();
  },
);

test("a circle is left to superjson", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  expect(serializePlain(circle)).toBeUndefined();
});
