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

/** What a provider says to one request, to iterate over. Who leaves aborts the call. */
export async function* listen(
  provider: Provider,
  request: Partial<GenerateRequest> = {},
  call: Partial<ProviderCall> = {},
): AsyncGenerator<ProviderEvent> {
  const left = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, left.signal]) : left.signal;
  const { events, push, close } = pushed<ProviderEvent>();
  const saying = provider.stream({ ...question, ...request }, { key: 0, ...call, signal }, push).finally(close);
  saying.catch(() => {});
  try {
    yield* events;
    await saying;
  } finally {
    left.abort();
  }
}

/** Turns what is pushed into something to iterate over. */
export function pushed<Item>() {
  const queue: Item[] = [];
  let isClosed = false;
  let wake = () => {};
  async function* iterate(): AsyncGenerator<Item> {
    for (;;) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) yield item;
      if (isClosed) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    events: iterate(),
    push(item: Item) {
      queue.push(item);
      wake();
    },
    close() {
      isClosed = true;
      wake();
    },
  };
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
    for await (const event of listen(provider, request, call)) if (event.type !== "ping") events.push(event);
  } catch (thrown) {
    if (!(thrown instanceof ProviderError)) throw thrown;
    error = thrown;
  }
  const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events, text, error };
}
