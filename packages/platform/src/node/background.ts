import type { Background, Log } from "@parley/core/ports";
import { createBackground } from "../shared/background.ts";

/** `stop` ends what repeats; `settled` waits for what is still under way. */
export function nodeBackground(log: Log): Background & { stop(): void } {
  // Nothing that repeats keeps a process from ending.
  const { run, repeat, stop, settled } = createBackground(log, { timer: (timer) => timer.unref() });
  return {
    run(name, work) {
      void run(name, work);
    },
    every(name, milliseconds, work, { atOnce = false } = {}) {
      repeat({ name, milliseconds, work, atOnce });
    },
    stop,
    settled,
  };
}
