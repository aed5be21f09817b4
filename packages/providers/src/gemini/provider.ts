import type { GenerateContentRequest } from "@google/generative-ai";
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
import { geminiRefusal } from "./errors.ts";
import { vendorModels } from "./models.ts";
import { geminiRequest } from "./request.ts";
import { readAnswer } from "./stream.ts";

export interface GeminiOptions {
  keys: string[];
  baseUrl: string | null;
  models: ModelEntry[];
  fetch?: typeof globalThis.fetch;
}

const label = "Gemini";

/**
 * Of the vendor's SDK only the types: it calls the global `fetch` and lets nobody say that a redirect, which would take the
 * key elsewhere, is not to be followed; and its parser keeps a line without an end as long as it comes.
 */
export function geminiProvider({ keys, baseUrl, models, fetch = globalThis.fetch }: GeminiOptions): Provider {
  const base = `${(baseUrl ?? "https://generativelanguage.googleapis.com").replace(/\/+$/, "")}/v1beta`;
  const send = vendorFetch(fetch, label);

  async function ask(call: ProviderCall, path: string, body?: GenerateContentRequest): Promise<Response> {
    const headers = { "x-goog-api-key": keyAt(keys, call, label), ...(body && { "content-type": "application/json" }) };
    const content = body ? { method: "POST", body: JSON.stringify(body) } : {};
    try {
      return await send(`${base}${path}`, { ...content, headers, signal: call.signal });
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      throw networkError(error, label) ?? new ProviderError("network", "Gemini could not be reached");
    }
  }

  async function generate(request: GenerateRequest, call: ProviderCall): Promise<ReadableStream<Uint8Array>> {
    const path = request.model.includes("/") ? request.model : `models/${request.model}`;
    const body = geminiRequest(request) as GenerateContentRequest;
    const response = await ask(call, `/${path}:streamGenerateContent?alt=sse`, body);
    if (!response.ok) throw geminiRefusal(await readWhole(response), keys, response.status);
    if (!response.body) throw new ProviderError("invalid_stream", "Gemini answered without a body");
    return response.body;
  }

  return {
    name: "gemini",
    label,
    keys: keys.length,
    isLocal: false,
    models,
    defaults: { temperature: 0.7, topP: 0.8, topK: 10, maxTokens: 2_048 },

    async stream(request, call, sink) {
      const { signal } = call;
      if (signal.aborted) return;
      try {
        await readAnswer(await generate(request, call), { signal, keys, sink });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },

    async listModels(call): Promise<VendorModel[]> {
      const response = await ask(call, "/models?pageSize=1000");
      const said = await readWhole(response);
      if (!response.ok) throw geminiRefusal(said, keys, response.status);
      const listed = vendorModels(said);
      if (!listed) throw new ProviderError("invalid_stream", "Gemini's list of models could not be read");
      return listed;
    },
  };
}
