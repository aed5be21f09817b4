import { defineConfig } from "tsup";
import product from "../server/tsup.config.ts";

// The product's own bundling, around the bench's entries. What stays outside is found in the server's node_modules.
export default defineConfig({
  ...product,
  entry: ["servers/parley.ts", "servers/upstream.ts"],
  outDir: ".build/servers",
  silent: true,
  onSuccess: undefined,
});
