import { defineConfig } from "tsup";

// One file without dependencies: what npx has to fetch is this.
export default defineConfig({
  entry: { parley: "src/main.ts" },
  format: "esm",
  target: "node20",
  platform: "node",
  minifySyntax: true,
  minifyWhitespace: true,
  splitting: false,
  clean: true,
  noExternal: [/.*/],
  removeNodeProtocol: false,
});
