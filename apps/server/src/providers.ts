import { createHash } from "node:crypto";
import type { Provider } from "@parley/core/ports";
import { absentProvider } from "@parley/providers/absent";
import { demoProvider } from "@parley/providers/demo";
import type { Environment } from "./config/variables.ts";

/** The vendors that have a key, and those that could. Only the SDKs that are used are loaded. */
export async function openProviders(config: Environment, fetch: Fetch): Promise<Provider[]> {
  return [await anthropic(config, fetch), await gemini(config, fetch), await compatible(config, fetch), demoProvider()];
}

type Fetch = typeof globalThis.fetch;

async function anthropic(config: Environment, fetch: Fetch): Promise<Provider> {
  const keys = keysOf(config.ANTHROPIC_API_KEY, config.ANTHROPIC_API_KEY_BACKUP);
  if (keys.length === 0) return absentProvider("anthropic", "Claude");
  const { anthropicProvider } = await import("@parley/providers/anthropic");
  const { catalogue } = await import("@parley/providers/catalogue");
  const options = { keys, baseUrl: config.ANTHROPIC_BASE_URL, fetch };
  return withAccount(anthropicProvider({ ...options, models: catalogue.anthropic }), options);
}

async function gemini(config: Environment, fetch: Fetch): Promise<Provider> {
  const keys = keysOf(config.GOOGLE_AI_API_KEY, config.GOOGLE_AI_API_KEY_BACKUP);
  if (keys.length === 0) return absentProvider("gemini", "Gemini");
  const { geminiProvider } = await import("@parley/providers/gemini");
  const { catalogue } = await import("@parley/providers/catalogue");
  const options = { keys, baseUrl: config.GOOGLE_AI_BASE_URL, fetch };
  return withAccount(geminiProvider({ ...options, models: catalogue.gemini }), options);
}

async function compatible(config: Environment, fetch: Fetch): Promise<Provider> {
  const { OPENAI_COMPATIBLE_BASE_URL: baseUrl } = config;
  if (!baseUrl) return absentProvider("openai", "OpenAI-compatible");
  const keys = keysOf(config.OPENAI_COMPATIBLE_API_KEY, config.OPENAI_COMPATIBLE_API_KEY_BACKUP);
  const { openaiCompatibleProvider } = await import("@parley/providers/openai-compatible");
  return withAccount(openaiCompatibleProvider({ keys, baseUrl, fetch }), { keys, baseUrl });
}

/** The Ollama of this machine, if one answers. */
export async function findOllama(url: string, fetch: Fetch): Promise<Provider | null> {
  const openaiCompatible = await import("@parley/providers/openai-compatible");
  return openaiCompatible.findOllama({ url, fetch });
}

/** What is on this machine is another on each. */
function withAccount(provider: Provider, { keys, baseUrl }: { keys: string[]; baseUrl: string | null }): Provider {
  if (provider.isLocal) return provider;
  const account = createHash("sha256")
    .update(JSON.stringify([baseUrl, keys]))
    .digest("base64url")
    .slice(0, 16);
  return { ...provider, account };
}

const keysOf = (first: string | null, backups: string[]) => (first === null ? backups : [first, ...backups]);
