import type { Background, Log } from "@parley/core/ports";

interface Repeated {
  name: string;
  milliseconds: number;
  work: () => Promise<void>;
  atOnce: boolean;
}

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
  const underWay = new Set<Promise<void>>();
  const timers = new Set<ReturnType<typeof setInterval>>();
  const repeated = new Map<string, Repeated>();

  function run(name: string, work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => log.error({ err: error, task: name }, "background work failed"))
      .finally(() => underWay.delete(task));
    underWay.add(task);
    hold(task);
    return task;
  }

  function repeat({ name, milliseconds, work, atOnce }: Repeated) {
    let busy = false;
    const round = () => {
      if (busy) return;
      busy = true;
      void run(name, work).finally(() => {
        busy = false;
      });
    };
    timers.add(setInterval(round, milliseconds));
    if (atOnce) round();
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
    perform(name) {
      return run(name, repeatedAs(name).work);
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
      timers.clear();
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };

  function repeatedAs(name: string): Repeated {
    const found = repeated.get(name);
    if (!found) throw new Error(`Nobody does "${name}" from time to time`);
    return found;
  }
}
