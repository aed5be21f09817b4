import { type ModelOverride, ModelOverrides } from "@parley/contract";
import { type ModelEntry, unknownModel } from "./provider.ts";

/** Throws one line that names the entry and its field. */
export function readCatalogueFile(text: string): ModelOverride[] {
  const content = parse(text);
  const { success, data, error } = ModelOverrides.safeParse(content);
  if (!success) {
    const [issue] = error.issues;
    throw new Error(issue ? `${placeOf(issue.path, content)}: ${issue.message}` : "The catalogue file is not as it should be");
  }
  const seen = new Set<string>();
  for (const [index, { provider, id }] of data.models.entries()) {
    const key = JSON.stringify([provider, id]);
    if (seen.has(key)) throw new Error(`${placeOf(["models", index], content)}: the same model is there twice`);
    seen.add(key);
  }
  return data.models;
}

/** Given fields win. What the catalogue did not have comes first, in the order of the file: an operator wants to see it. */
export function applyOverrides(
  entries: readonly ModelEntry[],
  provider: string,
  overrides: readonly ModelOverride[],
): ModelEntry[] {
  const merged = new Map(entries.map((entry) => [entry.id, entry]));
  const added: ModelEntry[] = [];
  for (const { provider: owner, hidden, ...fields } of overrides) {
    if (owner !== provider) continue;
    const known = merged.get(fields.id);
    if (hidden) merged.delete(fields.id);
    else if (known) merged.set(fields.id, { ...known, ...fields });
    else added.push({ ...unknownModel, name: fields.id, ...fields });
  }
  return [...added, ...merged.values()];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : "it cannot be read";
    throw new Error(`The catalogue file is not JSON: ${reason}`);
  }
}

/** `models[1] "claude-opus-5-5", prices.input` */
function placeOf(path: readonly PropertyKey[], content: unknown): string {
  const [top, index, ...field] = path.map(String);
  if (top === undefined || index === undefined) return top ?? "The catalogue file";
  const id = idOf(content, Number(index));
  const entry = `${top}[${index}]${id === undefined ? "" : ` ${JSON.stringify(id)}`}`;
  return field.length === 0 ? entry : `${entry}, ${field.join(".")}`;
}

function idOf(content: unknown, index: number): string | undefined {
  const models = propertyOf(content, "models");
  const id = Array.isArray(models) ? propertyOf(models[index], "id") : undefined;
  return typeof id === "string" ? id : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
