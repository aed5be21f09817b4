import { type ModelEntry, type Provider, ProviderError, type ProviderSink, unknownModel } from "@parley/core/ports";
import type { AnswerPlan, Piece, PlannedAttempt } from "./answer-plan.ts";
import type { Random } from "./random.ts";

const modelNames = Array.from({ length: 64 }, (_, index) => `soak-${index}`);
const models: ModelEntry[] = modelNames.map((id) => ({ ...unknownModel, id, name: id, contextLength: null }));

/** The models of all nodes: what they say next is the case's to decide, and every call is counted. */
export function createStage() {
  const plays = new Map<string, Play>();
  return {
    perform(plan: AnswerPlan): Play {
      const play = new Play(plan);
      plays.set(plan.question, play);
      return play;
    },
    forget: (plan: AnswerPlan) => plays.delete(plan.question),
    /** Its own for each node: one that has crashed never hears from it again. */
    provider(node: { readonly name: string; readonly hasCrashed: boolean }): Provider {
      return {
        name: "soak",
        label: "Soak",
        keys: 1,
        isLocal: false,
        models,
        defaults: { temperature: null, topP: null, topK: null, maxTokens: 100_000 },
        listModels: async () => models,
        async stream(request, { signal }, sink) {
          const last = request.messages.at(-1);
          const question = last?.role === "user" && last.parts[0]?.type === "text" ? last.parts[0].text : "";
          const play = plays.get(question);
          // Whatever else is asked of a model, a title for example.
          if (!play) return sayBriefly(sink);
          const hear: ProviderSink = (event) => {
            if (!node.hasCrashed) sink(event);
          };
          await play.answer({ model: request.model, node: node.name, signal }, hear);
          if (node.hasCrashed) await new Promise(() => {});
        },
      };
    },
  };
}

/** Two that differ. */
export function twoModels(random: Random): [string, string] {
  const first = random.below(modelNames.length);
  return [`soak-${first}`, `soak-${(first + 1) % modelNames.length}`];
}

export type Stage = ReturnType<typeof createStage>;

function sayBriefly(sink: ProviderSink) {
  sink({ type: "text", text: "Something" });
  sink({ type: "usage", tokens: { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 } });
  sink({ type: "end", finishReason: "stop" });
}

export interface Call {
  node: string;
  model: string;
  attempt: PlannedAttempt | undefined;
  /** What it has said and whoever asked has taken. */
  said: Piece[];
  isOver: boolean;
}

/** One answer on its way. */
export class Play {
  readonly plan: AnswerPlan;
  readonly calls: Call[] = [];
  #released = 0;
  readonly #waiting = new Set<() => void>();

  constructor(plan: AnswerPlan) {
    this.plan = plan;
  }

  /** So many more pieces may be said, whichever model says them. */
  release(pieces: number) {
    this.#released += pieces;
    for (const wake of this.#waiting) wake();
  }

  async answer({ model, node, signal }: { model: string; node: string; signal: AbortSignal }, sink: ProviderSink) {
    const attempt = this.plan.attempts.find((planned) => planned.model === model);
    const call: Call = { node, model, attempt, said: [], isOver: false };
    this.calls.push(call);
    try {
      for (const piece of attempt?.pieces ?? []) {
        await this.#turn(signal);
        if (signal.aborted) return;
        sink(piece);
        call.said.push(piece);
      }
      await this.#turn(signal);
      if (signal.aborted || attempt?.ending === "cut") return;
      if (attempt?.ending === "fail") throw new ProviderError("bad_request", "The script says so");
      sink({ type: "usage", tokens: { input: 10, cacheRead: 0, cacheWrite: 0, output: call.said.length } });
      sink({ type: "end", finishReason: "stop" });
    } finally {
      call.isOver = true;
    }
  }

  async #turn(signal: AbortSignal) {
    while (this.#released === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener("abort", wake);
      });
    }
    if (this.#released > 0) this.#released--;
  }
}
