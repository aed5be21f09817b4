import type { Background } from "@parley/core/ports";
import { expect, test } from "vitest";

export interface OpenBackground {
  background: Background & { stop(): void };
  /** What is said to repeat begins to; where that is so anyway, nothing. */
  begin(names: readonly string[]): void;
  /** The names of the works that were logged as failed. */
  failed(): unknown[];
}

/** What every background keeps. */
export function backgroundContract(open: () => OpenBackground) {
  test("logs what fails and goes on", async () => {
    const { background, begin, failed } = open();
    let rounds = 0;
    background.every("failing", 1, async () => {
      rounds++;
      throw new Error("no");
    });
    begin(["failing"]);
    await expect.poll(() => rounds).toBeGreaterThan(2);
    background.stop();
    await background.settled();
    expect(failed()[0]).toBe("failing");
  });

  test("waits for what is under way, and for what that begins", async () => {
    const { background } = open();
    const done: string[] = [];
    background.run("first", async () => {
      await Promise.resolve();
      background.run("second", async () => {
        await Promise.resolve();
        done.push("second");
      });
      done.push("first");
    });
    await background.settled();
    expect(done).toEqual(["first", "second"]);
  });

  test("a slow first round is not joined by a second one", async () => {
    const { background, begin } = open();
    let finish = () => {};
    let atOnce = 0;
    let most = 0;
    let ticks = 0;
    const slow = async () => {
      most = Math.max(most, ++atOnce);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      atOnce--;
    };
    background.every("slow", 1, slow, { atOnce: true });
    background.every("quick", 1, async () => {
      ticks++;
    });
    begin(["slow", "quick"]);
    await expect.poll(() => ticks).toBeGreaterThan(5);
    expect(most).toBe(1);
    background.stop();
    finish();
    await background.settled();
  });
}
