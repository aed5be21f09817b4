import type { Background, Log } from "@parley/core/ports";

/** `stop` ends what repeats; `settled` waits for what is still under way. */
export function nodeBackground(log: Log): Background & { stop(): void } {
  const underWay = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();

  function run(name: string, work: () => Promise<void>) {
    const task = work().catch((error) => log.error({ err: error, task: name }, "background work failed"));
    underWay.add(task);
    void task.then(() => underWay.delete(task));
    return task;
  }

  return {
    run(name, work) {
      void run(name, work);
    },
    /** Never twice at once: a slow round skips the next. */
    every(name, milliseconds, work, { atOnce = false } = {}) {
      if (atOnce) void run(name, work);
      let busy = false;
      const timer = setInterval(() => {
        if (busy) return;
        busy = true;
        void run(name, work).then(() => {
          busy = false;
        });
      }, milliseconds);
      timer.unref();
      timers.add(timer);
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
      timers.clear();
    },
  };
}
