import { expect, test } from "vitest";
import { applyOverrides, readCatalogueFile } from "./overrides.ts";
import type { ModelEntry } from "./provider.ts";

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

function file(...models: object[]) {
  return readCatalogueFile(JSON.stringify({ models }));
}

test("given fields win, and the others stay", () => {
  const [first, second] = applyOverrides(shipped, "vendor", file({ provider: "vendor", id: "one", prices, plans: ["pro"] }));
  expect(first).toEqual({ ...known, prices, plans: ["pro"] });
  expect(second).toBe(shipped[1]);
});

test("null is a value: a price or a limit that is no longer known", () => {
  const [first] = applyOverrides(shipped, "vendor", file({ provider: "vendor", id: "one", prices: null, contextLength: null }));
  expect(first).toMatchObject({ prices: null, contextLength: null, outputLimit: 100 });
});

test("new models come first, in the order of the file, and promise nothing that was not said", () => {
  const overrides = file(
    { provider: "vendor", id: "b" },
    { provider: "vendor", id: "two", retired: true },
    { provider: "vendor", id: "a" },
  );
  const entries = applyOverrides(shipped, "vendor", overrides);
  expect(entries.map(({ id }) => id)).toEqual(["b", "a", "one", "two"]);
  expect(entries[0]).toEqual({
    id: "b",
    name: "b",
    contextLength: null,
    outputLimit: null,
    inputs: ["text"],
    tools: false,
    reasoning: false,
    prices: null,
    retired: false,
    plans: null,
  });
  expect(entries[3]?.retired).toBe(true);
});

test("a hidden model is gone, and hiding what is not there does nothing", () => {
  const overrides = file({ provider: "vendor", id: "one", hidden: true }, { provider: "vendor", id: "nobody", hidden: true });
  expect(applyOverrides(shipped, "vendor", overrides).map(({ id }) => id)).toEqual(["two"]);
});

test("an entry is for its own provider", () => {
  expect(applyOverrides(shipped, "vendor", file({ provider: "other", id: "one", hidden: true }))).toEqual(shipped);
});

test("the shipped entries are not changed", () => {
  applyOverrides(shipped, "vendor", file({ provider: "vendor", id: "one", name: "Changed" }));
  expect(known.name).toBe("One");
});

test.each([
  ["{", /^The catalogue file is not JSON: /],
  ["[]", /^The catalogue file: /],
  ['{"models":[],"model":[]}', /^The catalogue file: .*"model"/],
  ['{"models":{}}', /^models: /],
  ['{"models":[{"id":"x"}]}', /^models\[0\] "x", provider: /],
  ['{"models":[{"provider":"a","id":"x"},{"provider":"a","id":"y","price":1}]}', /^models\[1\] "y": .*"price"/],
  ['{"models":[{"provider":"a","id":"x","prices":{"input":"3"}}]}', /^models\[0\] "x", prices\.input: /],
  ['{"models":[{"provider":"a","id":"x","prices":{"input":-3,"cacheRead":0,"cacheWrite":0,"output":0}}]}', /prices\.input: /],
  ['{"models":[{"provider":"a","id":"x","contextLength":0}]}', /^models\[0\] "x", contextLength: /],
  ['{"models":[{"provider":"a","id":"x","inputs":["video"]}]}', /^models\[0\] "x", inputs\.0: /],
  ['{"models":[{"provider":"a","id":"x","plans":["gold"]}]}', /^models\[0\] "x", plans\.0: /],
  ['{"models":[{"provider":"a","id":"x"},{"provider":"a","id":"x"}]}', /^models\[1\] "x": the same model is there twice$/],
])("%s is refused with one line that says where", (text, line) => {
  expect(() => readCatalogueFile(text)).toThrow(line);
  try {
    readCatalogueFile(text);
  } catch (error) {
    expect(String(error)).not.toContain("\n");
  }
});
