import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Minutes each: begun last, they would keep one worker busy while the others have nothing left. */
const longest = ["soak/soak.test.ts", "client/test/hooks.test.ts", "soak/processes.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).toSorted((first, second) => placeOf(first) - placeOf(second));
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
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What is waited for may be a process that starts.
    expect: { poll: { timeout: 5_000 } },
  },
});
