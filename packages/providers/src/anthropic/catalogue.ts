import type { ModelEntry } from "@parley/core/ports";

// Ids: types of @anthropic-ai/sdk 1.11.0 (2026-11-19). Figures: platform.claude.com (2026-10-24 to 2026-11-10; what a cache costs
// for Fable 5.2 and Sonnet 5.5 by tools that read it); of retired models models.dev (2026-05). Base prices only: docs/models.md.

const usual = {
  inputs: ["text", "image", "file"],
  tools: true,
  reasoning: true,
  retired: false,
  plans: null,
} satisfies Partial<ModelEntry>;
const long = { ...usual, contextLength: 1_000_000, outputLimit: 128_000 } satisfies Partial<ModelEntry>;
const short = { ...usual, contextLength: 200_000, outputLimit: 64_000 } satisfies Partial<ModelEntry>;

const prices = {
  fable52: { input: 8_000_000, cacheRead: 200_000, cacheWrite: 10_000_000, output: 40_000_000 },
  fable51: { input: 10_000_000, cacheRead: 250_000, cacheWrite: 12_500_000, output: 50_000_000 },
  fable5: { input: 10_000_000, cacheRead: 1_000_000, cacheWrite: 12_500_000, output: 50_000_000 },
  opus55: { input: 4_000_000, cacheRead: 200_000, cacheWrite: 5_000_000, output: 20_000_000 },
  opus45: { input: 5_000_000, cacheRead: 500_000, cacheWrite: 6_250_000, output: 25_000_000 },
  opus3: { input: 15_000_000, cacheRead: 1_500_000, cacheWrite: 18_750_000, output: 75_000_000 },
  sonnet55: { input: 2_000_000, cacheRead: 100_000, cacheWrite: 2_500_000, output: 10_000_000 },
  sonnet5: { input: 2_000_000, cacheRead: 200_000, cacheWrite: 2_500_000, output: 10_000_000 },
  sonnet3: { input: 3_000_000, cacheRead: 300_000, cacheWrite: 3_750_000, output: 15_000_000 },
  haiku55: { input: 100_000, cacheRead: 10_000, cacheWrite: 125_000, output: 500_000 },
  haiku45: { input: 1_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, output: 5_000_000 },
  haiku35: { input: 800_000, cacheRead: 80_000, cacheWrite: 1_000_000, output: 4_000_000 },
  haiku3: { input: 250_000, cacheRead: 30_000, cacheWrite: 300_000, output: 1_250_000 },
};

const current: ModelEntry[] = [
  { ...long, id: "claude-sonnet-5-5", name: "Claude Sonnet 5.5", prices: prices.sonnet55 },
  { ...long, id: "claude-opus-5-5", name: "Claude Opus 5.5", prices: prices.opus55 },
  { ...long, id: "claude-haiku-5-5", name: "Claude Haiku 5.5", prices: prices.haiku55 },
  { ...long, id: "claude-fable-5-2", name: "Claude Fable 5.2", prices: prices.fable52 },
  { ...long, id: "claude-fable-5-1", name: "Claude Fable 5.1", prices: prices.fable51 },
  { ...long, id: "claude-fable-5", name: "Claude Fable 5", prices: prices.fable5 },
  { ...long, id: "claude-opus-5", name: "Claude Opus 5", prices: prices.opus45 },
  { ...long, id: "claude-opus-4-8", name: "Claude Opus 4.8", prices: prices.opus45 },
  { ...long, id: "claude-opus-4-7", name: "Claude Opus 4.7", prices: prices.opus45 },
  { ...long, id: "claude-opus-4-6", name: "Claude Opus 4.6", prices: prices.opus45 },
  { ...short, id: "claude-opus-4-5", name: "Claude Opus 4.5", prices: prices.opus45 },
  { ...long, id: "claude-sonnet-5", name: "Claude Sonnet 5", prices: prices.sonnet5 },
  { ...long, id: "claude-sonnet-4-6", name: "Claude Sonnet 4.6", prices: prices.sonnet3 },
  { ...short, id: "claude-haiku-4-5", name: "Claude Haiku 4.5", prices: prices.haiku45 },
  // By invitation: a vendor that does not list them to this key takes them away again.
  { ...long, id: "claude-mythos-5-2", name: "Claude Mythos 5.2", prices: null },
  { ...long, id: "claude-mythos-5-1", name: "Claude Mythos 5.1", prices: prices.fable51 },
  { ...long, id: "claude-mythos-5", name: "Claude Mythos 5", prices: prices.fable5 },
];

const older = { ...usual, contextLength: 200_000, reasoning: false } satisfies Partial<ModelEntry>;
const oldest = { ...older, outputLimit: 4_096 } satisfies Partial<ModelEntry>;
const textOnly = { inputs: ["text"], tools: false } satisfies Partial<ModelEntry>;

// Named in conversations that people have: still there, about to go, or gone, and other spellings of what is above.
const former: ModelEntry[] = [
  { ...usual, id: "claude-mythos-preview", name: "Claude Mythos Preview", contextLength: null, outputLimit: null, prices: null },
  { ...short, id: "claude-opus-4-5-20251101", name: "Claude Opus 4.5", prices: prices.opus45 },
  { ...short, id: "claude-haiku-4-5-20251001", name: "Claude Haiku 4.5", prices: prices.haiku45 },
  { ...short, id: "claude-sonnet-4-5", name: "Claude Sonnet 4.5", prices: prices.sonnet3 },
  { ...short, id: "claude-sonnet-4-5-20250929", name: "Claude Sonnet 4.5", prices: prices.sonnet3 },
  { ...short, id: "claude-opus-4-1-20250805", name: "Claude Opus 4.1", outputLimit: 32_000, prices: prices.opus3 },
  { ...short, id: "claude-opus-4-20250514", name: "Claude Opus 4", outputLimit: 32_000, prices: prices.opus3 },
  { ...short, id: "claude-sonnet-4-20250514", name: "Claude Sonnet 4", prices: prices.sonnet3 },
  { ...short, id: "claude-3-7-sonnet-20250219", name: "Claude Sonnet 3.7", prices: prices.sonnet3 },
  { ...older, id: "claude-3-5-sonnet-20241022", name: "Claude Sonnet 3.5", outputLimit: 8_192, prices: prices.sonnet3 },
  { ...older, id: "claude-3-5-sonnet-20240620", name: "Claude Sonnet 3.5", outputLimit: 8_192, prices: prices.sonnet3 },
  { ...older, id: "claude-3-5-haiku-20241022", name: "Claude Haiku 3.5", outputLimit: 8_192, prices: prices.haiku35 },
  { ...oldest, id: "claude-3-opus-20240229", name: "Claude Opus 3", prices: prices.opus3 },
  { ...oldest, id: "claude-3-sonnet-20240229", name: "Claude Sonnet 3", prices: prices.sonnet3 },
  { ...oldest, id: "claude-3-haiku-20240307", name: "Claude Haiku 3", prices: prices.haiku3 },
  { ...older, ...textOnly, id: "claude-2.1", name: "Claude 2.1", outputLimit: null, prices: null },
  { ...older, ...textOnly, id: "claude-2.0", name: "Claude 2.0", contextLength: 100_000, outputLimit: null, prices: null },
].map((model) => ({ ...model, retired: true }));

export const anthropicModels: ModelEntry[] = [...current, ...former];
