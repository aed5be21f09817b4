import { AppError } from "@parley/core";
import superjson from "superjson";
import { serializePlain } from "./serialize-plain.ts";

const acceptedTypes = new Set(["Date", "undefined"]);

/**
 * superjson's format. Inputs are read before any schema has seen them, so only the types that inputs have are
 * revived: a bigint of a million digits or a hostile pattern would cost more than the call.
 */
export const transformer = {
  input: {
    serialize: superjson.serialize,
    deserialize(raw: unknown): unknown {
      if (raw === undefined || raw === null) return undefined;
      if (typeof raw !== "object" || !("json" in raw))
        throw new AppError("invalid_input", "The input is not in superjson's format");
      const { json, meta } = raw as { json: unknown; meta?: { values?: unknown } };
      const values = meta?.values;
      if (values === undefined) return json;
      if (!isAccepted(values)) throw new AppError("invalid_input", "The input has a type that no procedure takes");
      return superjson.deserialize({ json, meta: { values } } as Parameters<typeof superjson.deserialize>[0]);
    },
  },
  output: {
    serialize: (value: unknown) => serializePlain(value) ?? superjson.serialize(value),
    deserialize: superjson.deserialize,
  },
};

/** The tree of annotations: a type's name, or lists and records of them. */
function isAccepted(annotations: unknown): boolean {
  if (typeof annotations === "string") return acceptedTypes.has(annotations);
  if (Array.isArray(annotations)) return annotations.every(isAccepted);
  if (typeof annotations === "object" && annotations !== null) return Object.values(annotations).every(isAccepted);
  return false;
}
