import { type ModelEntry, unknownModel, type VendorModel } from "./provider.ts";

/** What an operator knows better than the catalogue and the vendors. */
export interface ModelOverride extends Partial<ModelEntry> {
  provider: string;
  id: string;
  /** As if it did not exist. */
  hidden?: boolean;
}

/**
 * What is known of a provider's models, with what its vendor says: a model that the vendor no longer has is gone, one that
 * nobody knew is there, and what was not known is filled in.
 */
export function joinWithVendor(known: readonly ModelEntry[], reported: readonly VendorModel[] | undefined): ModelEntry[] {
  if (!reported?.length) return [...known];
  const used = new Set<string>();
  const kept = known.flatMap((entry) => {
    const same = reported.filter(({ id }) => id === entry.id || isDatedForm(id, entry.id));
    for (const { id } of same) used.add(id);
    const [first] = same;
    return first ? [filledIn(entry, first)] : [];
  });
  const added = reported.filter(({ id }) => !used.has(id)).map((model) => ({ name: model.id, ...unknownModel, ...model }));
  return [...kept, ...added];
}

/** A vendor lists `name-20250929` or `name-001` and answers to `name`. */
function isDatedForm(id: string, alias: string): boolean {
  return id.startsWith(`${alias}-`) && /^(\d{8}|\d{3}|latest)$/.test(id.slice(alias.length + 1));
}

function filledIn(entry: ModelEntry, { contextLength = null, outputLimit = null }: VendorModel): ModelEntry {
  return { ...entry, contextLength: entry.contextLength ?? contextLength, outputLimit: entry.outputLimit ?? outputLimit };
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
