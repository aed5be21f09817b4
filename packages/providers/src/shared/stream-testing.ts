import { type GenerateRequest, type Provider, type ProviderCall, ProviderError, type ProviderEvent } from "@parley/core/ports";

/** Splits in UTF-8 within letters, and in UTF-16 within the emoji. */
export const polyglot = 'שלום עולם, 👩‍👩‍👧 naïve 🌍 "quoted" \\ \u2028 end';

export const question: GenerateRequest = {
  model: "model",
  system: null,
  messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
  tools: [],
  temperature: null,
  topP: null,
  topK: null,
  maxTokens: 2_048,
  reasoning: "off",
};

export interface Heard {
  events: ProviderEvent[];
  text: string;
  error: ProviderError | null;
}

/** All that a provider says to one request, up to its end or its failure. */
export async function hear(
  provider: Provider,
  request: Partial<GenerateRequest> = {},
  call: Partial<ProviderCall> = {},
): Promise<Heard> {
  const events: ProviderEvent[] = [];
  let error: ProviderError | null = null;
  try {
    const stream = provider.stream({ ...question, ...request }, { key: 0, signal: new AbortController().signal, ...call });
    for await (const event of stream) if (event.type !== "ping") events.push(event);
  } catch (thrown) {
    if (!(thrown instanceof ProviderError)) throw thrown;
    error = thrown;
  }
  const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events, text, error };
}
