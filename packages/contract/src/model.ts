import * as z from "zod";

export const Model = z.object({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  contextLength: z.int(),
  outputLimit: z.int(),
  isDefault: z.boolean(),
});
export type Model = z.output<typeof Model>;

export const ModelList = z.object({ items: z.array(Model) });
export type ModelList = z.output<typeof ModelList>;
