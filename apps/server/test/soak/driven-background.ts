import type { Log } from "@parley/core/ports";
import { nodeBackground } from "@parley/testing";

const driven = ["checkpoint", "reap", "look for ended runs"] as const;
/** Nothing of a case hangs on it, and there are thousands of nodes. */
const left = "take readings";
export type Driven = (typeof driven)[number];

/** As the real one, but what a case would have to wait for happens when it says so. */
export function drivenBackground(log: Log) {
  const usual = nodeBackground(log);
  const works = new Map<string, () => Promise<void>>();
  let last = Promise.resolve();
  return {
    ...usual,
    every(name: string, milliseconds: number, work: () => Promise<void>, options?: { atOnce?: boolean }) {
      if (driven.some((each) => each === name)) works.set(name, work);
      else usual.every(name, milliseconds, work, name === left ? {} : options);
    },
    /** Never two at once, as the real one has it. */
    now(name: Driven): Promise<void> {
      const work = works.get(name);
      if (!work) throw new Error(`Nobody does "${name}" in the background`);
      const turn = last.then(work);
      last = turn.catch(() => {});
      return turn;
    },
  };
}
