import type { VendorModel } from "@parley/core/ports";

/** As a vendor lists it, before anybody has looked whether it can be. */
export interface ListedModel extends Partial<Omit<VendorModel, "id" | "name" | "contextLength" | "outputLimit">> {
  id: unknown;
  name?: unknown;
  contextLength?: unknown;
  outputLimit?: unknown;
}

export const mostModels = 1_000;
const longestName = 200;

/** Each model once, with what can be true and stored; the others are left out, as is what comes after the thousandth. */
export function listedModels(listed: Iterable<ListedModel>): VendorModel[] {
  const models = new Map<string, VendorModel>();
  for (const { id, name, contextLength, outputLimit, ...said } of listed) {
    if (models.size === mostModels) break;
    if (!isName(id) || models.has(id)) continue;
    const context = tokenLimit(contextLength);
    const output = tokenLimit(outputLimit);
    models.set(id, {
      ...said,
      id,
      ...(isName(name) && { name }),
      ...(context !== undefined && { contextLength: context }),
      ...(output !== undefined && { outputLimit: output }),
    });
  }
  return Array.from(models.values());
}

export function tokenLimit(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Postgres takes no NUL and no half surrogate, and people no control characters. */
function isName(value: unknown): value is string {
  return (
    typeof value === "string" && value !== "" && value.length <= longestName && value.isWellFormed() && !/\p{Cc}/u.test(value)
  );
}
