import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";

const vendors = [
  ["anthropic", catalogue.anthropic],
  ["gemini", catalogue.gemini],
] as const;

test.each(vendors)("%s: each id is there once, offered models before retired ones", (_name, models) => {
  expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
  const firstRetired = models.findIndex(({ retired }) => retired);
  expect(models.slice(firstRetired).every(({ retired }) => retired)).toBe(true);
});

test.each(vendors)("%s: what is offered by default has a price, limits, tools and takes pictures and files", (_name, [first]) => {
  expect(first).toMatchObject({ retired: false, tools: true, reasoning: true, plans: null });
  expect(first?.prices).not.toBeNull();
  expect(first?.contextLength).toBeGreaterThanOrEqual(200_000);
  expect(first?.inputs).toEqual(expect.arrayContaining(["text", "image", "file"]));
});

test.each(vendors)(
  "%s: figures are in micro-units for a million tokens, and in the proportions of a price list",
  (_name, models) => {
    for (const { id, prices, contextLength, outputLimit } of models) {
      if (contextLength !== null && outputLimit !== null) expect(outputLimit, id).toBeLessThan(contextLength);
      if (!prices) continue;
      for (const price of Object.values(prices)) expect(Number.isInteger(price), id).toBe(true);
      expect(prices.input, id).toBeGreaterThanOrEqual(50_000);
      expect(prices.output, id).toBeLessThanOrEqual(100_000_000);
      expect(prices.cacheRead, id).toBeLessThan(prices.input);
      expect(prices.cacheWrite, id).toBeGreaterThanOrEqual(prices.input);
      expect(prices.output, id).toBeGreaterThan(prices.input);
    }
  },
);

test("every model that Anthropic's library names is known, and those that it calls deprecated are retired", async () => {
  const types = await readFile(
    new URL("../node_modules/@anthropic-ai/sdk/resources/messages/messages.d.ts", import.meta.url),
    "utf8",
  );
  const code = await readFile(
    new URL("../node_modules/@anthropic-ai/sdk/resources/messages/messages.js", import.meta.url),
    "utf8",
  );
  const named = idsIn(types.match(/export type Model = [^;]+/)?.[0]);
  const deprecated = idsIn(code.match(/DEPRECATED_MODELS = \{[^}]+/)?.[0]);
  expect(named.length).toBeGreaterThan(10);
  const known = new Map(catalogue.anthropic.map((model) => [model.id, model]));
  expect(named.filter((id) => !known.has(id))).toEqual([]);
  expect(deprecated.filter((id) => !known.get(id)?.retired)).toEqual([]);
});

test.each([
  "claude-2.0",
  "claude-2.1",
  "claude-3-opus-20240229",
  "claude-3-sonnet-20240229",
  "claude-3-haiku-20240307",
  "claude-3-5-sonnet-20241022",
  "claude-3-5-haiku-20241022",
  "gemini-pro",
  "gemini-1.0-pro",
  "gemini-1.5-pro",
  "gemini-1.5-flash",
])("%s is known from old conversations, and not offered", (id) => {
  expect([...catalogue.anthropic, ...catalogue.gemini].find((model) => model.id === id)?.retired).toBe(true);
});

function idsIn(text = ""): string[] {
  return Array.from(text.matchAll(/'(claude-[^']+)'/g), ([, id]) => id ?? "");
}
