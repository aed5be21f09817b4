import type { Provider } from "@parley/core/ports";
import { nodeFetch } from "@parley/platform/node";
import { absentProvider } from "@parley/providers/absent";
import { demoProvider } from "@parley/providers/demo";
import type { Environment } from "./config/variables.ts";

/** The vendors that have a key, and those that could. Only the SDKs that are used are loaded. */
export async function openProviders(config: Environment): Promise<Provider[]> {
  const fetch = nodeFetch();
  return [await anthropic(config, fetch), await gemini(config, fetch), await compatible(config, fetch), demoProvider()];
}

type Fetch = typeof globalThis.fetch;

async function anthropic(config: Environment, fetch: Fetch): Promise<Provider> {
  const keys = keysOf(config.ANTHROPIC_API_KEY, config.ANTHROPIC_API_KEY_BACKUP);
  if (keys.length === 0) return absentProvider("anthropic", "Claude");
  const { anthropicProvider } = await import("@parley/providers/anthropic");
  const { catalogue } = await import("@parley/providers/catalogue");
  return anthropicProvider({ keys, baseUrl: config.ANTHROPIC_BASE_URL, models: catalogue.anthropic, fetch });
}

async function gemini(config: Environment, fetch: Fetch): Promise<Provider> {
  const keys = keysOf(config.GOOGLE_AI_API_KEY, config.GOOGLE_AI_API_KEY_BACKUP);
  if (keys.length === 0) return absentProvider("gemini", "Gemini");
  const { geminiProvider } = await import("@parley/providers/gemini");
  const { catalogue } = await import("@parley/providers/catalogue");
  return geminiProvider({ keys, baseUrl: config.GOOGLE_AI_BASE_URL, models: catalogue.gemini, fetch });
}

async function compatible(config: Environment, fetch: Fetch): Promise<Provider> {
  const { OPENAI_COMPATIBLE_BASE_URL: baseUrl } = config;
  if (!baseUrl) return absentProvider("openai", "OpenAI-compatible");
  const keys = keysOf(config.OPENAI_COMPATIBLE_API_KEY, config.OPENAI_COMPATIBLE_API_KEY_BACKUP);
  const { openaiCompatibleProvider } = await import("@parley/providers/openai-compatible");
  return openaiCompatibleProvider({ keys, baseUrl, fetch });
}

/** The Ollama of this machine, if one answers. */
export async function findOllama(url: string): Promise<Provider | null> {
  const openaiCompatible = await import("@parley/providers/openai-compatible");
  return openaiCompatible.findOllama({ url, fetch: nodeFetch() });
}

const keysOf = (first: string | null, backups: string[]) => (first === null ? backups : [first, ...backups]);
