import { readFile } from "node:fs/promises";
import { Model, Plan, Prices, text } from "@parley/contract";
import type { ModelOverride } from "@parley/core/ports";
import * as z from "zod";
import { ConfigError } from "./config.ts";
import { parseJson } from "./json.ts";

const Entry = z.strictObject({
  provider: text().min(1).max(100),
  id: text().min(1).max(200),
  name: text().min(1).max(200).optional(),
  contextLength: z.int().positive().nullable().optional(),
  outputLimit: z.int().positive().nullable().optional(),
  inputs: Model.shape.inputs.optional(),
  tools: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  prices: z.strictObject(Prices.shape).nullable().optional(),
  retired: z.boolean().optional(),
  plans: z.array(Plan).nullable().optional(),
  hidden: z.boolean().optional(),
}) satisfies z.ZodType<ModelOverride>;
const ModelsFile = z.strictObject({ models: z.array(Entry) });

/** What the operator knows better than the catalogue and the vendors. */
export async function readModelsFile(file: string | null): Promise<ModelOverride[]> {
  if (file === null) return [];
  try {
    return parseModelsFile(await readFile(file, "utf8"));
  } catch (error) {
    throw new ConfigError(`MODELS_FILE ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Throws one line that names the entry and its field. */
function parseModelsFile(given: string): ModelOverride[] {
  const content = parseJson(given);
  const { success, data, error } = ModelsFile.safeParse(content);
  if (!success) {
    const [issue] = error.issues;
    throw new Error(issue ? `${placeOf(issue.path, content)}: ${issue.message}` : "it is not as it should be");
  }
  const seen = new Set<string>();
  for (const [index, { provider, id }] of data.models.entries()) {
    const key = JSON.stringify([provider, id]);
    if (seen.has(key)) throw new Error(`${placeOf(["models", index], content)}: the same model is there twice`);
    seen.add(key);
  }
  return data.models;
}

/** `models[1] "claude-opus-5-5", prices.input` */
function placeOf(path: readonly PropertyKey[], content: unknown): string {
  const [top, index, ...field] = path.map(String);
  if (top === undefined || index === undefined) return top ?? "the file";
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
