// An answer that grows when the bench says so: what is posted to the control port is its next piece.
import http from "node:http";
import { type ModelEntry, type Provider, type ProviderEvent, type ProviderSink, unknownModel } from "../../../packages/core/src/ports.ts";

interface Listener {
  sink: ProviderSink;
  end: () => void;
}

const model: ModelEntry = { ...unknownModel, id: "on-demand", name: "On demand", contextLength: 8_192, outputLimit: 8_192 };

export function onDemandProvider(controlPort: number): Provider & { end(): void } {
  const listeners = new Set<Listener>();

  function emit(event: ProviderEvent) {
    for (const { sink, end } of listeners) {
      sink(event);
      if (event.type === "end") end();
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
    stream: (_request, { signal }, sink) =>
      new Promise((resolve) => {
        const listener: Listener = { sink, end };
        listeners.add(listener);
        signal.addEventListener("abort", end);
        function end() {
          signal.removeEventListener("abort", end);
          listeners.delete(listener);
          resolve();
        }
      }),
  };
}
