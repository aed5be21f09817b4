import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Ten minutes: begun last, it would keep one worker busy while the others have nothing left. */
const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith("soak/soak.test.ts");

/** Half-way: large files come first, and most that wait for browsers and terminals with a patience of seconds are large. */
class LongestHalfWay extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const others = sorted.filter((file) => !isLongest(file));
    const half = Math.floor(others.length / 2);
    return [...others.slice(0, half), ...sorted.filter(isLongest), ...others.slice(half)];
  }
}

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**", "apps/bench/**"],
    // Much of a test is waiting; and a Postgres has room for a hundred connections.
    maxWorkers: Math.min(Math.max(availableParallelism() - 1, 2), 4),
    // What needs its second chance is told as flaky, and is a fault to be mended.
    retry: process.env.CI ? 1 : 0,
    sequence: { sequencer: LongestHalfWay },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What is waited for may be a process that starts.
    expect: { poll: { timeout: 5_000 } },
  },
});
