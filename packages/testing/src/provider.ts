import { type GenerateRequest, type ModelEntry, type Provider, type ProviderEvent, unknownModel } from "@parley/core/ports";

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
    stream(request, { signal }) {
      const stream = new ScriptedStream(request, signal);
      streams.push(stream);
      arrived();
      return stream.events();
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
  #queue: (ProviderEvent | Error | "cut")[] = [];
  #wake = () => {};

  constructor(request: GenerateRequest, signal: AbortSignal) {
    this.request = request;
    this.signal = signal;
    signal.addEventListener("abort", () => this.#wake());
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

  end(tokens = { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 }): void {
    this.#push({ type: "usage", tokens });
    this.#push({ type: "end", finishReason: "stop" });
    this.#push("cut");
  }

  /** The connection closes without the vendor's last word. */
  cut(): void {
    this.#push("cut");
  }

  fail(error: Error): void {
    this.#push(error);
  }

  #push(item: ProviderEvent | Error | "cut"): this {
    this.#queue.push(item);
    this.#wake();
    return this;
  }

  async *events(): AsyncGenerator<ProviderEvent> {
    while (!this.signal.aborted) {
      const item = this.#queue.shift();
      if (item === "cut") return;
      if (item instanceof Error) throw item;
      if (item) yield item;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
