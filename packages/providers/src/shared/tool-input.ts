import { ProviderError } from "@parley/core/ports";

/** What carries an answer on walks its values level by level, and has a stack that ends. */
const deepest = 64;

/** The input of a tool call, unless it is nested beyond reason. */
export function toolInput(input: unknown): unknown {
  if (isDeeper(input, deepest)) throw new ProviderError("invalid_stream", "The input of a tool call is nested too deeply");
  return input;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}
