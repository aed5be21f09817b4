import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "es2022",
  platform: "neutral",
  clean: true,
  tsconfig: "tsconfig.build.json",
  noExternal: [/^@parley\//],
  dts: { resolve: [/^@parley\//], banner: '/// <reference lib="esnext.disposable" />' },
});
