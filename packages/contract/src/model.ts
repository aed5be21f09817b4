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
