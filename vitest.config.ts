import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**", "apps/bench/**"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What is waited for may be a process that starts.
    expect: { poll: { timeout: 5_000 } },
  },
});
