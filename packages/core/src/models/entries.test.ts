import { expect, test } from "vitest";
import { applyOverrides } from "./entries.ts";
import { type ModelEntry, unknownModel } from "./provider.ts";

const known: ModelEntry = {
  id: "one",
  name: "One",
  contextLength: 1_000,
  outputLimit: 100,
  inputs: ["text", "image"],
  tools: true,
  reasoning: false,
  prices: { input: 3_000_000, cacheRead: 300_000, cacheWrite: 3_750_000, output: 15_000_000 },
  retired: false,
  plans: null,
};
const shipped = [known, { ...known, id: "two", name: "Two" }];
const prices = { input: 1_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, output: 5_000_000 };

test("given fields win, and the others stay", () => {
  const [first, second] = applyOverrides(shipped, "vendor", [{ provider: "vendor", id: "one", prices, plans: ["pro" as const] }]);
  expect(first).toEqual({ ...known, prices, plans: ["pro"] });
  expect(second).toBe(shipped[1]);
});

test("null is a value: a price or a limit that is no longer known", () => {
  const [first] = applyOverrides(shipped, "vendor", [{ provider: "vendor", id: "one", prices: null, contextLength: null }]);
  expect(first).toMatchObject({ prices: null, contextLength: null, outputLimit: 100 });
});

test("new models come first, in the order of the file, and promise nothing that was not said", () => {
  const overrides = [
    { provider: "vendor", id: "b" },
    { provider: "vendor", id: "two", retired: true },
    { provider: "vendor", id: "a" },
  ];
  const entries = applyOverrides(shipped, "vendor", overrides);
  expect(entries.map(({ id }) => id)).toEqual(["b", "a", "one", "two"]);
  expect(entries[0]).toEqual({ ...unknownModel, id: "b", name: "b" });
  expect(entries[3]?.retired).toBe(true);
});

test("a hidden model is gone, and hiding what is not there does nothing", () => {
  const overrides = [
    { provider: "vendor", id: "one", hidden: true },
    { provider: "vendor", id: "nobody", hidden: true },
  ];
  expect(applyOverrides(shipped, "vendor", overrides).map(({ id }) => id)).toEqual(["two"]);
});

test("an entry is for its own provider", () => {
  expect(applyOverrides(shipped, "vendor", [{ provider: "other", id: "one", hidden: true }])).toEqual(shipped);
});

test("the shipped entries are not changed", () => {
  applyOverrides(shipped, "vendor", [{ provider: "vendor", id: "one", name: "Changed" }]);
  expect(known.name).toBe("One");
});
