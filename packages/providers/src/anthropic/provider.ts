import type Anthropic from "@anthropic-ai/sdk";
import type { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { type ModelEntry, type Provider, type ProviderCall, ProviderError } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { keyAt } from "../shared/keys.ts";
import { listedModels, mostModels } from "../shared/listed-models.ts";
import { readEvents } from "../shared/sse.ts";
import { vendorFetch } from "../shared/vendor-fetch.ts";
import { anthropicFailure } from "./errors.ts";
import { type Dialect, dialectOf, listedModel, reportedDialect } from "./models.ts";
import { type AnthropicRequest, anthropicRequest } from "./request.ts";
import { createAnswerReader } from "./stream.ts";

export interface AnthropicOptions {
  keys: string[];
  /** Null for Anthropic's own. */
  baseUrl: string | null;
  models: ModelEntry[];
  fetch?: typeof globalThis.fetch;
}

const label = "Claude";
/** The longest that a timer takes: how long a call may last is for its caller to say. */
const never = 2 ** 31 - 1;
const sentHeaders = ["accept", "anthropic-version", "authorization", "content-type", "user-agent", "x-api-key"];

/** The SDK makes the requests; the answers are read here, because its parser costs as much as all the rest of a relay. */
export function anthropicProvider({ keys, baseUrl, models, fetch = globalThis.fetch }: AnthropicOptions): Provider {
  const send = vendorFetch(fetch, label);
  const clients: BaseAnthropic[] = [];
  const dialects = new Map<string, Dialect>();
  for (const { id, outputLimit } of models) dialects.set(id, { ...dialectOf(id), outputLimit });

  async function clientFor(call: ProviderCall): Promise<BaseAnthropic> {
    const known = clients[call.key];
    if (known) return known;
    const apiKey = keyAt(keys, call, label);
    const { BaseAnthropic } = await import("./sdk.ts");
    const client = new BaseAnthropic({
      apiKey,
      authToken: null,
      webhookKey: null,
      baseURL: baseUrl ?? "https://api.anthropic.com",
      maxRetries: 0,
      timeout: never,
      logLevel: "off",
      openTelemetry: false,
      fetch: (url, init) => send(url, { ...init, headers: ownHeaders(init?.headers) }),
    });
    clients[call.key] = client;
    return client;
  }

  function optionsFor(call: ProviderCall, version: AnthropicRequest["version"]) {
    const key = keyAt(keys, call, label);
    return {
      signal: call.signal,
      headers: {
        authorization: `Bearer ${key}`,
        // What else speaks as Anthropic may have learned it from the older version.
        ...(baseUrl !== null && { "x-api-key": key }),
        "anthropic-version": version,
      },
    };
  }

  return {
    name: "anthropic",
    label,
    keys: keys.length,
    isLocal: false,
    models,
    defaults: { temperature: null, topP: null, topK: null, maxTokens: 4_096 },

    async stream(request, call, sink) {
      const { signal } = call;
      if (signal.aborted) return;
      try {
        const { body, version } = anthropicRequest(request, dialects.get(request.model) ?? dialectOf(request.model));
        const client = await clientFor(call);
        // Not `messages.create`, which writes to the console about models that will retire.
        const answer = client.post("/v1/messages", { body, stream: true, ...optionsFor(call, version) });
        const response = await answer.asResponse();
        if (!response.body) throw new ProviderError("invalid_stream", "Claude answered without a body");
        await readEvents(response.body, { signal, ...createAnswerReader(keys, sink) });
      } catch (error) {
        if (!signal.aborted) throw anthropicFailure(error, keys);
      }
    },

    async listModels(call) {
      try {
        const client = await clientFor(call);
        const { Models } = await import("./sdk.ts");
        const told: Anthropic.ModelInfo[] = [];
        for await (const model of new Models(client).list({ limit: mostModels }, optionsFor(call, "2026-10-21"))) {
          told.push(model);
          if (told.length === mostModels) break;
        }
        const found = told.filter((model) => typeof fieldsOf(model).id === "string");
        const listed = listedModels(found.map(listedModel));
        const ids = new Set(listed.map(({ id }) => id));
        for (const model of found.filter(({ id }) => ids.has(id))) {
          const outputLimit = dialects.get(model.id)?.outputLimit ?? null;
          const reported = reportedDialect(model);
          dialects.set(model.id, { ...reported, outputLimit: reported.outputLimit ?? outputLimit });
        }
        return listed;
      } catch (error) {
        throw call.signal.aborted ? new ProviderError("network", "The call was aborted") : anthropicFailure(error, keys);
      }
    },
  };
}

/** The SDK adds what an environment variable tells it to, and particulars of this machine. */
function ownHeaders(headers: HeadersInit | undefined): Headers {
  const given = new Headers(headers);
  const own = new Headers();
  for (const name of sentHeaders) {
    const value = given.get(name);
    if (value !== null) own.set(name, value);
  }
  return own;
}
