import type { VendorModel } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { type ListedModel, listedModels } from "../shared/listed-models.ts";

/** Of all that Gemini lists, what answers; null if this is no such list. */
export function vendorModels(said: unknown): VendorModel[] | null {
  const { models } = fieldsOf(said);
  return Array.isArray(models) ? listedModels(models.map(fieldsOf).flatMap(listedModel)) : null;
}

function listedModel(model: Record<string, unknown>): ListedModel[] {
  const { name, displayName, inputTokenLimit, outputTokenLimit, supportedGenerationMethods: methods, thinking } = model;
  if (typeof name !== "string" || !Array.isArray(methods) || !methods.includes("generateContent")) return [];
  const reasoning = typeof thinking === "boolean" ? { reasoning: thinking } : {};
  const id = name.replace(/^models\//, "");
  return [{ id, name: displayName, contextLength: inputTokenLimit, outputLimit: outputTokenLimit, ...reasoning }];
}
