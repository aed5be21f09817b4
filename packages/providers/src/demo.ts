import type { GenerateRequest, ModelEntry, ModelMessage, Provider } from "@parley/core/ports";

const model: ModelEntry = {
  id: "demo",
  name: "Demonstration (not a language model)",
  contextLength: 8_192,
  outputLimit: 2_048,
  inputs: ["text"],
  tools: false,
  reasoning: false,
  prices: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
  retired: false,
  plans: null,
};

/** Answers without a key: deterministic text about the message itself, streamed word by word. */
export function demoProvider({ wordMs = 25 } = {}): Provider {
  return {
    name: "demo",
    label: "Demonstration",
    keys: 1,
    isLocal: true,
    isStandIn: true,
    models: [model],
    defaults: { temperature: null, topP: null, topK: null, maxTokens: 2_048 },
    listModels: async () => [model],
    async stream(request, { signal }, sink) {
      const answer = describe(request);
      const words = answer.match(/\s*\S+/g) ?? [];
      for (const word of words) {
        await pause(wordMs, signal);
        if (signal.aborted) return;
        sink({ type: "text", text: word });
      }
      const input = request.messages.reduce((sum, message) => sum + countWords(textOf(message)), 0);
      sink({ type: "usage", tokens: { input, cacheRead: 0, cacheWrite: 0, output: words.length } });
      sink({ type: "end", finishReason: "stop" });
    },
  };
}

function describe({ messages }: GenerateRequest): string {
  const last = messages.at(-1);
  const question = last ? textOf(last) : "";
  const letters = Array.from(question).length;
  const turns = messages.filter(({ role }) => role === "user").length;
  return [
    "This is Parley's demonstration, not a language model.",
    `Your message has ${letters} characters in ${countWords(question)} words, and is number ${turns} in this conversation.`,
    `It says: "${question.slice(0, 500)}".`,
    "Real models are connected by the operator, with an environment variable for each vendor: .env.example names them.",
  ].join(" ");
}

function textOf(message: ModelMessage): string {
  if (message.role === "tool") return "";
  return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, milliseconds);
    function finish() {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    }
    signal.addEventListener("abort", finish);
  });
}
