import { describe, expect, test } from "vitest";
import { soak } from "./soak.ts";
import { type LogKind, logKinds } from "./world.ts";

const { SOAK_SEED, SOAK_CASES, SOAK_MINUTES, SOAK_LOG } = process.env;
const usualCases: Record<LogKind, number> = { memory: 500, postgres: 500, redis: 500, edge: 40 };
const kinds = SOAK_LOG ? logKinds.filter((kind) => kind === SOAK_LOG) : logKinds;
const timeout = SOAK_MINUTES ? (Number(SOAK_MINUTES) + 2) * 60_000 : Math.max(600_000, Number(SOAK_CASES ?? 0) * 1_000);

function play(kind: LogKind, seed: number, cases: number) {
  console.log(`${cases} cases on the ${kind} log from seed ${seed}`);
  const milliseconds = SOAK_MINUTES ? { milliseconds: Number(SOAK_MINUTES) * 60_000 } : {};
  return soak({ kind, seed, cases, ...milliseconds });
}

describe.each(kinds)("on the %s log, whatever happens to sockets, processes and stores", (kind) => {
  // The same sequences each time: a change is judged by what it does, and `npm run soak` looks for sequences that nobody has seen.
  test("nothing is lost or doubled", { timeout }, async () => {
    const cases = Number(SOAK_CASES ?? usualCases[kind]);
    const played = await play(kind, Number(SOAK_SEED ?? 5), cases);
    if (SOAK_MINUTES) console.log(`${played} cases held`);
    else expect(played).toBe(cases);
  });
});
