import { type Provider, ProviderError } from "@parley/core/ports";

/** A vendor that nobody has given a key: it is known, and cannot be asked. Its SDK need not be loaded. */
export function absentProvider(name: string, label: string): Provider {
  const refuse = async () => {
    throw new ProviderError("auth", `${label} has no key`);
  };
  return {
    name,
    label,
    keys: 0,
    isLocal: false,
    models: [],
    defaults: { temperature: null, topP: null, topK: null, maxTokens: 0 },
    stream: refuse,
    listModels: refuse,
  };
}
