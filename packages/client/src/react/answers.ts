import { type AssembledAnswer, assemble, emptyAnswer, isParleyError, type Parley } from "@parley/client";
import { pause, retryDelayMs } from "../retry-delay.ts";
import { oncePerFrame } from "./frames.ts";
import { createStore, type Store } from "./store.ts";

/** The answers that are being written, by their runs. */
export type RunningAnswers = ReadonlyMap<string, AssembledAnswer>;

interface Followed {
  watchers: number;
  answer: AssembledAnswer;
  controller: AbortController;
}

export interface Answers {
  /** Changes at most once a frame, however many pieces arrive. */
  current: Store<RunningAnswers>;
  /** Follows it for as long as anybody watches. */
  watch(runId: string): () => void;
  clear(): void;
}

/** `ended` is told of what was seen to its end, `lost` of what cannot be followed. */
export function createAnswers(
  { chat }: { chat: Pick<Parley["chat"], "follow"> },
  { ended, lost }: { ended(answer: AssembledAnswer): void; lost(runId: string): void },
): Answers {
  const followed = new Map<string, Followed>();
  const current = createStore<RunningAnswers>(new Map());
  const publish = oncePerFrame(() => {
    current.set(new Map(Array.from(followed, ([runId, { answer }]) => [runId, answer])));
  });

  async function follow(runId: string, run: Followed) {
    const { signal } = run.controller;
    let lastEventId: string | undefined;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        for await (const event of chat.follow(runId, { signal, lastEventId })) {
          attempt = 0;
          lastEventId = event.id;
          run.answer = assemble(run.answer, event);
          publish();
          if (event.type === "run-end") return ended(run.answer);
        }
      } catch (error) {
        if (isParleyError(error)) return lost(runId);
      }
      await pause(retryDelayMs(attempt), signal);
    }
  }

  function forget(runId: string, run: Followed) {
    run.controller.abort();
    if (followed.get(runId) === run) followed.delete(runId);
    publish();
  }

  return {
    current,
    watch(runId) {
      const known = followed.get(runId);
      const run = known ?? { watchers: 0, answer: emptyAnswer, controller: new AbortController() };
      run.watchers++;
      if (!known) {
        followed.set(runId, run);
        void follow(runId, run);
      }
      return () => {
        run.watchers--;
        // Whoever draws itself anew leaves and comes back at once.
        setTimeout(() => run.watchers === 0 && forget(runId, run));
      };
    },
    clear() {
      for (const [runId, run] of followed) forget(runId, run);
    },
  };
}
