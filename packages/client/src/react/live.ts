import type { LiveEvent, Parley } from "@parley/client";
import { pause, retryDelayMs } from "../retry-delay.ts";
import { createStore, type Store } from "./store.ts";

/**
 * How live events arrive: not at all while nobody is signed in, `connecting` for the first time or again, or `live`.
 *
 * @example
 * ```ts
 * const isBehind = (state: LiveState) => state === "connecting";
 * ```
 */
export type LiveState = "off" | "connecting" | "live";

export interface LiveFeed {
  state: Store<LiveState>;
  listen(listener: (event: LiveEvent) => void): () => void;
  start(): void;
  stop(): void;
}

/** `missed` is called when events may have passed that were not heard. */
export function createLiveFeed(parley: Parley, missed: () => void): LiveFeed {
  const state = createStore<LiveState>("off");
  const listeners = new Set<(event: LiveEvent) => void>();
  let running: AbortController | undefined;

  function tell(event: LiveEvent) {
    for (const listener of [...listeners]) listener(event);
  }

  async function run(signal: AbortSignal) {
    const setState = (next: LiveState) => {
      if (!signal.aborted) state.set(next);
    };
    let lastEventId: string | undefined;
    for (let attempt = 0; !signal.aborted; attempt++) {
      setState("connecting");
      await new Promise<void>((resolve) => {
        parley.api.chat.live.subscribe(
          { lastEventId },
          {
            signal,
            onStarted() {
              attempt = 0;
              setState("live");
              // Without a place to go on from, this begins now, and what was read before may be old.
              if (lastEventId === undefined) missed();
            },
            onData({ id, data }) {
              if (signal.aborted) return;
              lastEventId = id;
              tell(data);
            },
            onConnectionStateChange(connection) {
              if (connection.state === "connecting") setState("connecting");
            },
            onError: () => resolve(),
            onComplete: () => resolve(),
          },
        );
      });
      await pause(retryDelayMs(attempt), signal);
    }
  }

  function stop() {
    running?.abort();
    running = undefined;
    state.set("off");
  }

  return {
    state,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start() {
      stop();
      running = new AbortController();
      void run(running.signal);
    },
    stop,
  };
}
