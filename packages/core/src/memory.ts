import type { CoolDowns } from "./generation/health.ts";
import { createMeters, type Meters } from "./metrics/meters.ts";

/** What outlives a call and is in no database. Where calls have services of their own, as on Workers, these share it. */
export interface Memory {
  /** What happens is counted here … */
  meters: Meters;
  /** … and what the readings tell of was counted there: the same, where a process counts for itself. */
  read: Meters;
  coolDowns: CoolDowns;
  /** How often alerts have been judged without a pause, and when last. */
  judged: { rounds: number; lastAt: number };
}

export function createMemory(): Memory {
  const meters = createMeters();
  return { meters, read: meters, coolDowns: new Map(), judged: { rounds: 0, lastAt: 0 } };
}
