import { describe, expect, test } from "vitest";
import { CreateApiKey } from "./api-key.ts";
import { ReadShared } from "./conversations.ts";
import { SetPreferences, UpdateProfile } from "./user.ts";

describe("preferences", () => {
  const accepts = (value: unknown) => SetPreferences.safeParse(value).success;
  const nested = (depth: number) => {
    let value: unknown = 1;
    for (let level = 0; level < depth; level++) value = { a: value };
    return value;
  };

  test("are an object of JSON", () => {
    const value = { theme: "dark", sizes: [1, 2.5, null, true], nested: { שלום: "👋" } };
    expect(SetPreferences.parse(value)).toEqual(value);
    for (const wrong of [undefined, null, 1, "text", [], [{}], new Date(), new Map()]) expect(accepts(wrong)).toBe(false);
    for (const part of [undefined, Number.NaN, 1n, new Date(), new Set(), () => 1])
      expect(accepts({ part }), String(part)).toBe(false);
  });

  test("hold nothing that Postgres cannot store", () => {
    for (const wrong of ["\0", "\ud800"]) {
      expect(accepts({ a: wrong })).toBe(false);
      expect(accepts({ a: [{ b: wrong }] })).toBe(false);
      expect(accepts({ [wrong]: 1 })).toBe(false);
      expect(accepts({ a: { [wrong]: 1 } })).toBe(false);
    }
    expect(accepts(JSON.parse('{"a":{"__proto__":1}}'))).toBe(false);
  });

  test("are bounded in bytes, depth and the length of keys", () => {
    expect(accepts({ a: "x".repeat(16_376) })).toBe(true);
    expect(accepts({ a: "x".repeat(16_377) })).toBe(false);
    expect(accepts({ a: "ש".repeat(8_189) })).toBe(false);
    expect(accepts({ ["k".repeat(64)]: 1 })).toBe(true);
    expect(accepts({ ["k".repeat(65)]: 1 })).toBe(false);
    expect(accepts({ "": 1 })).toBe(false);
    expect(accepts(nested(8))).toBe(true);
    expect(accepts(nested(9))).toBe(false);
    expect(accepts(nested(200_000))).toBe(false);
    expect(accepts({ a: Array.from({ length: 1_000_000 }, () => 1) })).toBe(false);
  });
});

describe("a profile", () => {
  const accepts = (value: unknown) => UpdateProfile.safeParse(value).success;

  test("has a time zone that exists and a language that we write", () => {
    for (const timeZone of ["Asia/Jerusalem", "UTC", null]) expect(accepts({ timeZone })).toBe(true);
    for (const timeZone of ["Asia/Atlantis", "", "\0", "x".repeat(65)]) expect(accepts({ timeZone }), timeZone).toBe(false);
    for (const language of ["en", "he", "ar", "ru", null]) expect(accepts({ language })).toBe(true);
    for (const language of ["fr", "EN", ""]) expect(accepts({ language })).toBe(false);
  });

  test("has a name always, and the rest if one likes", () => {
    expect(accepts({ displayName: null })).toBe(false);
    expect(accepts({ displayName: "  " })).toBe(false);
    expect(accepts({ username: null, bio: null })).toBe(true);
    expect(accepts({ bio: "x".repeat(1_001) })).toBe(false);
    expect(accepts({ bio: "\ud800" })).toBe(false);
  });
});

test("a key has known scopes and a date that can be stored", () => {
  const accepts = (value: object) => CreateApiKey.safeParse({ name: "cron", ...value }).success;
  expect(accepts({})).toBe(true);
  expect(accepts({ scopes: ["chat.read", "*"] })).toBe(true);
  expect(accepts({ scopes: [] })).toBe(false);
  expect(accepts({ scopes: ["everything"] })).toBe(false);
  expect(accepts({ expiresAt: new Date(8.64e15) })).toBe(false);
  expect(accepts({ name: " " })).toBe(false);
});

test("the token of a link is made of letters, digits, dashes and underscores", () => {
  const accepts = (token: string) => ReadShared.safeParse({ token }).success;
  expect(accepts("3qF_-".repeat(9))).toBe(true);
  for (const wrong of ["", "\0", "a\0", "\ud800", "a b", "שלום", "a\n", "a".repeat(101)]) expect(accepts(wrong)).toBe(false);
});
