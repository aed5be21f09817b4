import type { Clock } from "@parley/core/ports";

/** Real time that a test can push forward. */
export function testClock(): Clock & { advance(by: { seconds: number }): void } {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    advance({ seconds }) {
      ahead += seconds * 1_000;
    },
  };
}
