import type { ModelEntry } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { listedModels, tokenLimit } from "../shared/listed-models.ts";
import { readWhole } from "../shared/vendor-fetch.ts";
import { free } from "./models.ts";

/** Where there is none on this machine, that is known at once. */
const answersWithinMs = 3_000;

export interface OllamaServer {
  url: string;
  send: typeof fetch;
  signal: AbortSignal | undefined;
}

/** What an Ollama has that can hold a conversation; null where there is none. */
export async function ollamaModels(server: OllamaServer): Promise<ModelEntry[] | null> {
  const { models } = fieldsOf(await ask(server, "/api/tags"));
  if (!Array.isArray(models)) return null;
  const listed = listedModels(models.map((model) => ({ id: fieldsOf(model).name })));
  const entries = await Promise.all(listed.map(({ id }) => describe(server, id)));
  return entries.filter((entry) => entry !== null);
}

async function describe(server: OllamaServer, id: string): Promise<ModelEntry | null> {
  const shown = fieldsOf(await ask(server, "/api/show", { model: id }));
  const abilities = Array.isArray(shown.capabilities) ? shown.capabilities : ["completion"];
  if (!abilities.includes("completion")) return null;
  return {
    id,
    name: id.replace(/:latest$/, ""),
    contextLength: contextLengthOf(shown.model_info),
    outputLimit: null,
    inputs: abilities.includes("vision") ? ["text", "image"] : ["text"],
    tools: abilities.includes("tools"),
    reasoning: abilities.includes("thinking"),
    prices: free,
    retired: false,
    plans: null,
  };
}

/** Under the name of the model's architecture: `llama.context_length`. */
function contextLengthOf(info: unknown): number | null {
  const [, length] = Object.entries(fieldsOf(info)).find(([name]) => name.endsWith(".context_length")) ?? [];
  return tokenLimit(length) ?? null;
}

async function ask({ url, send, signal }: OllamaServer, path: string, body?: object): Promise<unknown> {
  const patience = AbortSignal.timeout(answersWithinMs);
  const content = body ? { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {};
  try {
    const response = await send(`${url}${path}`, { ...content, signal: signal ? AbortSignal.any([signal, patience]) : patience });
    return response.ok ? await readWhole(response) : null;
  } catch {
    return null;
  }
}
