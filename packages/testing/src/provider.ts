import {
  type GenerateRequest,
  type ModelEntry,
  type Provider,
  type ProviderEvent,
  type ProviderSink,
  unknownModel,
} from "@parley/core/ports";

const model = { ...unknownModel, contextLength: 8_192, outputLimit: 2_048 };

const models: ModelEntry[] = [
  { ...model, id: "scripted", name: "Scripted" },
  { ...model, id: "scripted-2", name: "Scripted 2" },
];

/** A provider whose answers a test writes piece by piece. It holds each stream open until the test ends it. */
export function scriptedProvider() {
  const streams: ScriptedStream[] = [];
  let arrived = () => {};
  const provider: Provider = {
    name: "scripted",
    label: "Scripted",
    keys: 1,
    isLocal: false,
    models,
    defaults: { temperature: 0.7, topP: null, topK: null, maxTokens: 2_048 },
    listModels: async () => models,
    stream(request, { signal }, sink) {
      const stream = new ScriptedStream(request, signal, sink);
      streams.push(stream);
      arrived();
      return stream.ended;
    },
  };
  return {
    provider,
    /** The next request that has not been taken yet. */
    async next(): Promise<ScriptedStream> {
      for (;;) {
        const stream = streams.shift();
        if (stream) return stream;
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
  };
}

export class ScriptedStream {
  readonly request: GenerateRequest;
  readonly signal: AbortSignal;
  /** Rejects where the stream fails. */
  readonly ended: Promise<void>;
  readonly #sink: ProviderSink;
  #isOver = false;
  #settle: (error?: Error) => void = () => {};

  constructor(request: GenerateRequest, signal: AbortSignal, sink: ProviderSink) {
    this.request = request;
    this.signal = signal;
    this.#sink = sink;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = (error) => {
        this.#isOver = true;
        if (error) reject(error);
        else resolve();
      };
    });
    if (signal.aborted) this.cut();
    signal.addEventListener("abort", () => this.cut());
  }

  text(text: string): this {
    return this.#push({ type: "text", text });
  }

  /** A sign of life without a word. */
  ping(): this {
    return this.#push({ type: "ping" });
  }

  reasoning(text: string): this {
    return this.#push({ type: "reasoning", text });
  }

  toolCall(callId: string, name: string, input: unknown): this {
    return this.#push({ type: "tool-call", callId, name, input });
  }

  end(tokens = { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 }): void {
    this.#push({ type: "usage", tokens });
    this.#push({ type: "end", finishReason: "stop" });
    this.#settle();
  }

  /** The connection closes without the vendor's last word. */
  cut(): void {
    this.#settle();
  }

  fail(error: Error): void {
    this.#settle(error);
  }

  #push(event: ProviderEvent): this {
    if (!this.#isOver) this.#sink(event);
    return this;
  }
}
