import * as z from "zod";
import { Plan } from "./auth.ts";
import type { Trouble as TroubleType } from "./events.ts";
import { object } from "./object.ts";
import { ModelId } from "./shapes.ts";
import { text } from "./text.ts";

const price = z.number().nonnegative().max(1e12);
/** Micro-units of the operator's currency for a million tokens of each kind. */
export const Prices = object(() => ({ input: price, cacheRead: price, cacheWrite: price, output: price }));
export type Prices = z.output<typeof Prices>;

export const Model = object(() => ({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  /** Tokens of question and answer together; null where nobody says. */
  contextLength: z.int().nullable(),
  /** The longest answer, in tokens; null where nobody says. */
  outputLimit: z.int().nullable(),
  inputs: z.array(z.enum(["text", "image", "file", "audio"])),
  tools: z.boolean(),
  reasoning: z.boolean(),
  /** Null where the price is not known. */
  prices: Prices.nullable(),
  /** Still answers old conversations where the vendor still has it, but is no longer offered for new ones. */
  retired: z.boolean(),
  /** Whose it is; null for everyone. */
  plans: z.array(Plan).nullable(),
  isDefault: z.boolean(),
}));
export type Model = z.output<typeof Model>;

export const ModelList = object(() => ({ items: z.array(Model) }));
export type ModelList = z.output<typeof ModelList>;

export const GetModel = object(() => ({ id: ModelId }));

const Trouble = z.enum([
  "quota",
  "rate",
  "overloaded",
  "auth",
  "bad_request",
  "content_filter",
  "network",
  "timeout",
  "cut",
  "invalid_stream",
]) satisfies z.ZodType<TroubleType>;

const Key = object(() => ({
  /** From 1, in the order in which keys are tried. */
  position: z.int(),
  state: z.enum(["ready", "cooling"]),
  /** `model` is null where the whole key rests. */
  coolDowns: z.array(z.object({ model: z.string().nullable(), trouble: Trouble, until: z.date() })),
}));

export const ProviderState = object(() => ({
  name: z.string(),
  label: z.string(),
  configured: z.boolean(),
  /** A key is ready, and its models are not left alone. */
  healthy: z.boolean(),
  isLocal: z.boolean(),
  models: z.int(),
  keys: z.object({ total: z.int(), ready: z.int() }),
  /** For operators: null for everyone else. */
  details: z
    .object({
      keys: z.array(Key),
      /** Left alone after many failures in a row. */
      pausedModels: z.array(z.object({ model: z.string(), until: z.date() })),
      lastOkAt: z.date().nullable(),
      lastTrouble: z.object({ trouble: Trouble, at: z.date() }).nullable(),
    })
    .nullable(),
}));
export type ProviderState = z.output<typeof ProviderState>;

export const ProviderList = object(() => ({ items: z.array(ProviderState) }));
export type ProviderList = z.output<typeof ProviderList>;

export const TestProvider = object(() => ({ provider: text().min(1).max(100) }));

/** Each key asked for its list of models. */
export const ProviderTest = object(() => ({
  provider: z.string(),
  keys: z.array(
    z.object({
      position: z.int(),
      ok: z.boolean(),
      models: z.int().nullable(),
      trouble: Trouble.nullable(),
      durationMs: z.int(),
    }),
  ),
}));
export type ProviderTest = z.output<typeof ProviderTest>;

/** As long as a message by default: over HTTP the text travels in the address. */
export const EstimateTokens = object(() => ({ model: ModelId.optional(), text: z.string().max(10_000) }));

export const TokenEstimate = object(() => ({
  model: z.string(),
  tokens: z.int(),
  /** As a question; null where the price is not known. */
  costMicros: z.int().nullable(),
}));
export type TokenEstimate = z.output<typeof TokenEstimate>;
