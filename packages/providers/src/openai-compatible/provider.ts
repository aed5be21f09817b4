import {
  type GenerateRequest,
  type ModelEntry,
  type Provider,
  type ProviderCall,
  ProviderError,
  type VendorModel,
} from "@parley/core/ports";
import { networkError } from "../shared/http-errors.ts";
import { keyAt } from "../shared/keys.ts";
import { readWhole, vendorFetch } from "../shared/vendor-fetch.ts";
import { type Circumstances, openaiError, openaiFailure, saysError } from "./errors.ts";
import { isLocalUrl } from "./local-address.ts";
import { chatModels } from "./models.ts";
import { ollamaModels } from "./ollama-models.ts";
import { type OptionalField, openaiRequest, refusedField } from "./request.ts";
import { readAnswer } from "./stream.ts";

export interface OpenaiCompatibleOptions {
  name?: string;
  label?: string;
  /** None where the server asks for none. */
  keys: string[];
  /** With the version: `https://api.openai.com/v1`. */
  baseUrl: string;
  models?: ModelEntry[];
  fetch?: typeof fetch;
}

/**
 * OpenAI itself, and what speaks as it does: Ollama, vLLM, llama.cpp, LM Studio. Without the `openai` package, which needs
 * Node 22 while we support 20.
 */
export function openaiCompatibleProvider(options: OpenaiCompatibleOptions): Provider {
  const { keys, models = [] } = options;
  const base = options.baseUrl.replace(/\/+$/, "");
  const { hostname } = new URL(base);
  const isOpenai = hostname === "api.openai.com" || hostname.endsWith(".api.openai.com");
  const isLocal = isLocalUrl(base);
  const label = options.label ?? (isOpenai ? "OpenAI" : hostname);
  const send = vendorFetch(options.fetch ?? fetch, label);
  const refusals = new Map<string, ReadonlySet<OptionalField>>();

  const circumstances: Circumstances = { label, keys };

  async function ask(call: ProviderCall, path: string, body?: object): Promise<Response> {
    const headers = new Headers();
    if (body) headers.set("content-type", "application/json");
    if (keys.length > 0) headers.set("authorization", `Bearer ${keyAt(keys, call, label)}`);
    const content = body ? { method: "POST", body: JSON.stringify(body) } : {};
    try {
      return await send(`${base}${path}`, { ...content, headers, signal: call.signal });
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      throw networkError(error, label) ?? new ProviderError("network", `${label} could not be reached`);
    }
  }

  /** A server that refuses a field is asked again without it, and spared it from then on. */
  async function generate(request: GenerateRequest, call: ProviderCall): Promise<ReadableStream<Uint8Array>> {
    const refused = new Set(refusals.get(request.model));
    for (;;) {
      const asked = openaiRequest(request, { isOpenai, refused });
      const response = await ask(call, "/chat/completions", asked);
      const { ok, status, headers, body } = response;
      if (ok && body && !headers.get("content-type")?.includes("application/json")) {
        refusals.set(request.model, refused);
        return body;
      }
      const said = await readWhole(response);
      if (ok && !saysError(said)) throw new ProviderError("invalid_stream", `${label} answered without a stream`);
      const failure = openaiFailure(said, ok ? undefined : status);
      const field = refusedField(asked, failure);
      if (!field || refused.has(field)) throw openaiError(failure, { ...circumstances, headers });
      refused.add(field);
    }
  }

  return {
    name: options.name ?? "openai",
    label,
    keys: Math.max(1, keys.length),
    isLocal,
    models,
    defaults: { temperature: 0.7, topP: null, topK: null, maxTokens: 2_048 },

    async stream(request, call, sink) {
      const { signal } = call;
      if (signal.aborted) return;
      try {
        const body = await generate(request, call);
        const failure = (said: unknown) => openaiError(openaiFailure(said), circumstances);
        await readAnswer(body, { signal, label, failure, sink });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },

    async listModels(call): Promise<VendorModel[]> {
      const response = await ask(call, "/models");
      const said = await readWhole(response);
      if (!response.ok) throw openaiError(openaiFailure(said, response.status), { ...circumstances, headers: response.headers });
      const listed = chatModels(said, { isOpenai, isLocal });
      if (!listed) throw new ProviderError("invalid_stream", `The list of models of ${label} could not be read`);
      return listed;
    },
  };
}

/** The Ollama of this machine, found by itself; null where there is none. */
export async function findOllama(
  options: { url?: string; fetch?: typeof fetch; signal?: AbortSignal } = {},
): Promise<Provider | null> {
  const { fetch: given = fetch, signal } = options;
  const send = vendorFetch(given, "Ollama");
  const url = (options.url ?? "http://127.0.0.1:11434").replace(/\/+$/, "");
  const models = await ollamaModels({ url, send, signal });
  if (!models) return null;
  const provider = openaiCompatibleProvider({
    name: "ollama",
    label: "Ollama",
    keys: [],
    baseUrl: `${url}/v1`,
    models,
    fetch: given,
  });
  return {
    ...provider,
    async listModels(call) {
      const found = await ollamaModels({ url, send, signal: call.signal });
      if (!found) throw new ProviderError("network", "Ollama could not be reached");
      return found;
    },
  };
}
