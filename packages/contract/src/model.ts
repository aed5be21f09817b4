import * as z from "zod";
import { Plan } from "./auth.ts";

/** Micro-units of the operator's currency for a million tokens of each kind. */
export const Prices = z.object({ input: z.number(), cacheRead: z.number(), cacheWrite: z.number(), output: z.number() });
export type Prices = z.output<typeof Prices>;

export const Model = z.object({
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
});
export type Model = z.output<typeof Model>;

export const ModelList = z.object({ items: z.array(Model) });
export type ModelList = z.output<typeof ModelList>;

const price = z.number().nonnegative().max(1e12);
const ModelOverride = z.strictObject({
  provider: z.string().min(1),
  id: z.string().min(1),
  name: z.string().min(1).optional(),
  contextLength: z.int().positive().nullable().optional(),
  outputLimit: z.int().positive().nullable().optional(),
  inputs: Model.shape.inputs.optional(),
  tools: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  prices: z.strictObject({ input: price, cacheRead: price, cacheWrite: price, output: price }).nullable().optional(),
  retired: z.boolean().optional(),
  plans: z.array(Plan).nullable().optional(),
  /** As if it did not exist. */
  hidden: z.boolean().optional(),
});
export type ModelOverride = z.output<typeof ModelOverride>;

/** What an operator knows better than the shipped catalogue. */
export const ModelOverrides = z.strictObject({ models: z.array(ModelOverride) });
export type ModelOverrides = z.output<typeof ModelOverrides>;
