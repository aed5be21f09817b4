import type { ListedModel } from "./format.ts";

/** GET /api/tags */
export function ollamaModels(models: ListedModel[]) {
  return {
    models: models.map(({ id, capabilities: _, model_info: __, ...fields }) => ({
      name: id,
      model: id,
      modified_at: "2025-09-29T00:00:00Z",
      size: 2_019_393_189,
      digest: "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
      details: { format: "gguf", family: "llama", families: ["llama"], parameter_size: "3.2B", quantization_level: "Q4_K_M" },
      ...fields,
    })),
  };
}

/** POST /api/show */
export function ollamaModel(model: ListedModel | undefined) {
  if (!model) return { error: "model not found" };
  return {
    details: { format: "gguf", family: "llama", families: ["llama"], parameter_size: "3.2B", quantization_level: "Q4_K_M" },
    model_info: model.model_info ?? { "general.architecture": "llama", "llama.context_length": 131_072 },
    capabilities: model.capabilities ?? ["completion", "tools"],
  };
}
