import type { Background, Log } from "@parley/core/ports";
import { createBackground, type Repeating } from "../shared/background.ts";

export interface WorkerBackground extends Background {
  /** Until then nothing repeats: most requests are over before anything would. Only what is on the list does. */
  begin(names: readonly string[]): void;
  /** One round of everything whose time has come, and of nothing that is on the list. */
  performOthers(names: readonly string[], isDue: (name: string, milliseconds: number) => boolean): Promise<void>;
  perform(name: string): Promise<void>;
  stop(): void;
}

/** Work of one request or one object. `hold` is told of it, so that the runtime waits for it. */
export function workerBackground(log: Log, hold: (work: Promise<void>) => void): WorkerBackground {
  const { run, repeat, stop, settled } = createBackground(log, { work: hold });
  const repeated = new Map<string, Repeating>();

  function repeatedAs(name: string): Repeating {
    const found = repeated.get(name);
    if (!found) throw new Error(`Nobody does "${name}" from time to time`);
    return found;
  }

  return {
    run(name, work) {
      void run(name, work);
    },
    every(name, milliseconds, work, { atOnce = false } = {}) {
      repeated.set(name, { name, milliseconds, work, atOnce });
    },
    begin(names) {
      for (const name of names) repeat(repeatedAs(name));
    },
    async performOthers(names, isDue) {
      for (const { name, milliseconds, work } of repeated.values()) {
        if (!names.includes(name) && isDue(name, milliseconds)) await run(name, work);
      }
    },
    perform: (name) => run(name, repeatedAs(name).work),
    stop,
    settled,
  };
}
