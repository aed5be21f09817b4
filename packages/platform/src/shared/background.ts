import type { Log } from "@parley/core/ports";

type Timer = ReturnType<typeof setInterval>;

export interface Repeating {
  name: string;
  milliseconds: number;
  work: () => Promise<void>;
  /** And a first time now. */
  atOnce: boolean;
}

interface Began {
  work?(task: Promise<void>): void;
  timer?(timer: Timer): void;
}

/** What the backgrounds of all runtimes have in common. Each has its own to do with what has begun. */
export function createBackground(log: Log, began: Began) {
  const underWay = new Set<Promise<void>>();
  const timers = new Set<Timer>();

  function run(name: string, work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => log.error({ err: error, task: name }, "background work failed"))
      .finally(() => underWay.delete(task));
    underWay.add(task);
    began.work?.(task);
    return task;
  }

  return {
    run,
    /** Never twice at once: a slow round skips the next. */
    repeat({ name, milliseconds, work, atOnce }: Repeating): void {
      let busy = false;
      const round = () => {
        if (busy) return;
        busy = true;
        void run(name, work).finally(() => {
          busy = false;
        });
      };
      const timer = setInterval(round, milliseconds);
      timers.add(timer);
      began.timer?.(timer);
      if (atOnce) round();
    },
    /** Ends what repeats. */
    stop(): void {
      for (const timer of timers) clearInterval(timer);
      timers.clear();
    },
    /** Waits for what is still under way. */
    async settled(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
