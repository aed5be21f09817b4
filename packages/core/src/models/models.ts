import type { Model, ModelList } from "@parley/contract";
import { AppError } from "../errors.ts";
import type { Ports, Provider } from "../ports.ts";
import type { Settings } from "../settings.ts";

export type Models = ReturnType<typeof createModels>;

/** The models that the configured providers offer. The first of them is the default unless an operator names one. */
export function createModels({ providers }: Pick<Ports, "providers">, { defaultModel }: Settings) {
  const offered = new Map<string, { model: Model; provider: Provider }>();
  for (const provider of providers) {
    for (const model of provider.models) {
      if (!offered.has(model.id))
        offered.set(model.id, { model: { ...model, provider: provider.name, isDefault: false }, provider });
    }
  }
  const defaultId = defaultModel ?? offered.keys().next().value;
  if (defaultModel !== null && !offered.has(defaultModel)) {
    throw new Error(`DEFAULT_MODEL is "${defaultModel}", but the models are ${Array.from(offered.keys()).join(", ")}`);
  }
  const list: ModelList = {
    items: Array.from(offered.values(), ({ model }) => ({ ...model, isDefault: model.id === defaultId })),
  };

  return {
    list: () => list,
    /** The provider of each model that can be asked for. */
    providerNames: Object.fromEntries(Array.from(offered, ([id, { provider }]) => [id, provider.name])),
    /** The model asked for, or the default. */
    resolve(id: string | null | undefined): { model: Model; provider: Provider } {
      const found = offered.get(id ?? defaultId ?? "");
      if (found) return found;
      if (id) throw new AppError("model_unknown", `There is no model "${id}"`);
      throw new AppError("provider_unconfigured", "No model is configured");
    },
  };
}
