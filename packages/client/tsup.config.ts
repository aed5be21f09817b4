import { rmSync } from "node:fs";
import { defineConfig, type Options } from "tsup";

// Here, because the two builds run at the same time: neither may remove what the other has written.
rmSync("dist", { recursive: true, force: true });

const shared: Options = {
  format: "esm",
  target: "es2022",
  splitting: false,
  noExternal: [/^@parley\/(?!client)/],
};

export default defineConfig([
  {
    ...shared,
    entry: { index: "src/index.ts", react: "src/react/index.ts", tabs: "src/tabs/index.ts" },
    // The core of the other entries is the very one that the page has: two would not know each other's errors.
    external: ["@parley/client"],
    platform: "neutral",
    tsconfig: "tsconfig.build.json",
    dts: { resolve: [/^@parley\/(?!client)/], banner: '/// <reference lib="esnext.disposable" />' },
  },
  {
    ...shared,
    entry: { node: "src/node/index.ts" },
    platform: "node",
    removeNodeProtocol: false,
    tsconfig: "src/node/tsconfig.json",
    dts: { resolve: [/^@parley\/(?!client)/] },
  },
]);
