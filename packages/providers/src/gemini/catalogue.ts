import type { ModelEntry } from "@parley/core/ports";

// Figures: ai.google.dev, its pages of models, prices, changes and deprecations (2026-10-09 to 2026-11-12). Prices of prompts up to
// 200,000 tokens, and those that stay when introductory ones end this year: docs/models.md. Writing a cache costs what input does.

const usual = {
  contextLength: 1_048_576,
  outputLimit: 65_536,
  inputs: ["text", "image", "file", "audio"],
  tools: true,
  reasoning: true,
  retired: false,
  plans: null,
} satisfies Partial<ModelEntry>;

const prices = {
  gemini4: { input: 4_000_000, cacheRead: 200_000, cacheWrite: 4_000_000, output: 20_000_000 },
  flash36: { input: 1_500_000, cacheRead: 150_000, cacheWrite: 1_500_000, output: 7_500_000 },
  flash35: { input: 1_500_000, cacheRead: 150_000, cacheWrite: 1_500_000, output: 9_000_000 },
  flash3: { input: 500_000, cacheRead: 50_000, cacheWrite: 500_000, output: 3_000_000 },
  pro3: { input: 2_000_000, cacheRead: 200_000, cacheWrite: 2_000_000, output: 12_000_000 },
  lite35: { input: 300_000, cacheRead: 30_000, cacheWrite: 300_000, output: 2_500_000 },
  lite31: { input: 250_000, cacheRead: 25_000, cacheWrite: 250_000, output: 1_500_000 },
  pro25: { input: 1_250_000, cacheRead: 125_000, cacheWrite: 1_250_000, output: 10_000_000 },
  lite25: { input: 100_000, cacheRead: 10_000, cacheWrite: 100_000, output: 400_000 },
  flash20: { input: 100_000, cacheRead: 25_000, cacheWrite: 100_000, output: 400_000 },
};

const current: ModelEntry[] = [
  { ...usual, id: "gemini-3.8-flash", name: "Gemini 3.8 Flash", prices: prices.flash36 },
  { ...usual, id: "gemini-4-argon", name: "Gemini 4 Argon", prices: prices.gemini4 },
  { ...usual, id: "gemini-4-carbon", name: "Gemini 4 Carbon", prices: prices.gemini4 },
  { ...usual, id: "gemini-3.5-flash-lite", name: "Gemini 3.5 Flash-Lite", prices: prices.lite35 },
  { ...usual, id: "gemini-3.1-pro-preview", name: "Gemini 3.1 Pro (preview)", prices: prices.pro3 },
  { ...usual, id: "gemini-3.6-flash", name: "Gemini 3.6 Flash", prices: prices.flash36 },
  { ...usual, id: "gemini-3.1-flash-lite", name: "Gemini 3.1 Flash-Lite", prices: prices.lite31 },
  { ...usual, id: "gemini-2.5-flash-lite", name: "Gemini 2.5 Flash-Lite", prices: prices.lite25 },
];

const gemini20 = { ...usual, outputLimit: 8_192, reasoning: false } satisfies Partial<ModelEntry>;
const gemini15 = { ...gemini20, prices: null } satisfies Partial<ModelEntry>;
const gemini10 = { ...gemini15, contextLength: null, outputLimit: null, inputs: ["text"] } satisfies Partial<ModelEntry>;

// Named in conversations that people have. Google answers the newest of them with a successor; the others are gone.
const former: ModelEntry[] = [
  { ...usual, id: "gemini-3.7-flash", name: "Gemini 3.7 Flash", prices: prices.flash36 },
  { ...usual, id: "gemini-3.5-flash", name: "Gemini 3.5 Flash", prices: prices.flash35 },
  { ...usual, id: "gemini-3-flash-preview", name: "Gemini 3 Flash (preview)", prices: prices.flash3 },
  { ...usual, id: "gemini-3-pro-preview", name: "Gemini 3 Pro (preview)", prices: prices.pro3 },
  { ...usual, id: "gemini-2.5-pro", name: "Gemini 2.5 Pro", prices: prices.pro25 },
  { ...usual, id: "gemini-2.5-flash", name: "Gemini 2.5 Flash", prices: prices.lite35 },
  { ...gemini20, id: "gemini-2.0-flash", name: "Gemini 2.0 Flash", prices: prices.flash20 },
  { ...gemini20, id: "gemini-2.0-flash-lite", name: "Gemini 2.0 Flash-Lite", prices: null },
  { ...gemini15, id: "gemini-1.5-pro", name: "Gemini 1.5 Pro", contextLength: null, outputLimit: null },
  { ...gemini15, id: "gemini-1.5-flash", name: "Gemini 1.5 Flash" },
  { ...gemini10, id: "gemini-1.0-pro", name: "Gemini 1.0 Pro" },
  { ...gemini10, id: "gemini-pro", name: "Gemini 1.0 Pro" },
].map((model) => ({ ...model, retired: true }));

export const geminiModels: ModelEntry[] = [...current, ...former];
