// An answer that grows when the bench says so: what is posted to the control port is its next piece.
import http from "node:http";
import { type ModelEntry, type Provider, type ProviderEvent, unknownModel } from "../../../packages/core/src/ports.ts";

interface Stream {
  queue: ProviderEvent[];
  wake: () => void;
}

const model: ModelEntry = { ...unknownModel, id: "on-demand", name: "On demand", contextLength: 8_192, outputLimit: 8_192 };

export function onDemandProvider(controlPort: number): Provider & { end(): void } {
  const streams = new Set<Stream>();

  function emit(event: ProviderEvent) {
    for (const stream of streams) {
      stream.queue.push(event);
      stream.wake();
    }
  }

  http
    .createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8");
      request.on("data", (data: string) => {
        text += data;
      });
      request.on("end", () => {
        emit({ type: "text", text });
        response.writeHead(204);
        response.end();
      });
    })
    .listen(controlPort, "127.0.0.1");

  return {
    name: "on-demand",
    label: "On demand",
    keys: 1,
    isLocal: false,
    models: [model],
    defaults: { temperature: null, topP: null, topK: null, maxTokens: 8_192 },
    listModels: async () => [model],
    end: () => emit({ type: "end", finishReason: "stop" }),
    async *stream(_request, { signal }) {
      const stream: Stream = { queue: [], wake: () => {} };
      streams.add(stream);
      const onAbort = () => stream.wake();
      signal.addEventListener("abort", onAbort);
      try {
        while (!signal.aborted) {
          const event = stream.queue.shift();
          if (event) yield event;
          if (event?.type === "end") return;
          if (event) continue;
          await new Promise<void>((resolve) => {
            stream.wake = resolve;
          });
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        streams.delete(stream);
      }
    },
  };
}
