import type Anthropic from "@anthropic-ai/sdk";
import { type ModelEntry, type Provider, type ProviderCall, ProviderError, type ProviderEvent } from "@parley/core/ports";
import { keyAt } from "../shared/keys.ts";
import { readEvents } from "../shared/sse.ts";
import { anthropicFailure } from "./errors.ts";
import { type Dialect, dialectOf, reportedDialect, vendorModel } from "./models.ts";
import { type AnthropicRequest, anthropicRequest } from "./request.ts";
import { createAnswerReader, isLastEvent } from "./stream.ts";

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
  const clients: Anthropic[] = [];
  const dialects = new Map<string, Dialect>();
  for (const { id, outputLimit } of models) dialects.set(id, { ...dialectOf(id), outputLimit });

  async function clientFor(call: ProviderCall): Promise<Anthropic> {
    const apiKey = keyAt(keys, call, label);
    const sdk = await import("@anthropic-ai/sdk");
    const client =
      clients[call.key] ??
      new sdk.Anthropic({
        apiKey,
        authToken: null,
        webhookKey: null,
        baseURL: baseUrl ?? "https://api.anthropic.com",
        maxRetries: 0,
        timeout: never,
        logLevel: "off",
        openTelemetry: false,
        fetch: (url, init) => fetch(url, { ...init, headers: ownHeaders(init?.headers) }),
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

    async *stream(request, call): AsyncGenerator<ProviderEvent> {
      const { signal } = call;
      if (signal.aborted) return;
      try {
        const { body, version } = anthropicRequest(request, dialects.get(request.model) ?? dialectOf(request.model));
        const client = await clientFor(call);
        // Not `messages.create`, which writes to the console about models that will retire.
        const answer = client.post("/v1/messages", { body, stream: true, ...optionsFor(call, version) });
        const response = await answer.asResponse();
        if (!response.body) throw new ProviderError("invalid_stream", "Claude answered without a body");
        const read = createAnswerReader(keys);
        for await (const batch of readEvents(response.body, { signal, isLast: isLastEvent })) {
          const events: ProviderEvent[] = [];
          try {
            read(batch, events);
          } finally {
            for (const event of events) yield event;
          }
        }
      } catch (error) {
        if (!signal.aborted) throw anthropicFailure(error, keys);
      }
    },

    async listModels(call) {
      try {
        const client = await clientFor(call);
        const found = [];
        for await (const model of client.models.list({ limit: 1_000 }, optionsFor(call, "2026-10-21"))) {
          const outputLimit = dialects.get(model.id)?.outputLimit ?? null;
          const reported = reportedDialect(model);
          dialects.set(model.id, { ...reported, outputLimit: reported.outputLimit ?? outputLimit });
          found.push(vendorModel(model));
        }
        return found;
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
