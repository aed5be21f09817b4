import { readFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";
import product from "../server/tsup.config.ts";

type PluginBuild = Parameters<NonNullable<Options["esbuildPlugins"]>[number]["setup"]>[0];

/** What counts and tells of calls, by file: what is found there becomes what does nothing. */
const measuring: Record<string, [found: RegExp, nothing: string]> = {
  "packages/api/src/trpc.ts": [/(function measured<[\s\S]*?\{)\n {2}const startedAt/, "$1\n  return work();\n  const startedAt"],
  "packages/core/src/database/metered.ts": [/(export function meteredDatabase\([^)]*\): Database \{)/, "$1\n  return database;"],
  "apps/server/src/start.ts": [/\n *onAnswer: .*,/, ""],
};

const nothingMeasured = {
  name: "nothing is measured",
  setup(build: PluginBuild) {
    build.onLoad({ filter: /(trpc|metered|start)\.ts$/ }, async ({ path }) => {
      const code = await readFile(path, "utf8");
      const [, change] = Object.entries(measuring).find(([file]) => path.endsWith(file)) ?? [];
      if (!change) return { contents: code, loader: "ts" };
      const contents = code.replace(...change);
      if (contents === code) throw new Error(`${path} measures in another way than the bench knows`);
      return { contents, loader: "ts" };
    });
  },
};

const usual: Options = { ...product, silent: true, onSuccess: undefined };

// The product's own bundling, around the bench's entries. What stays outside is found in the server's node_modules.
export default defineConfig([
  { ...usual, entry: ["servers/parley.ts", "servers/upstream.ts", "servers/token.ts"], outDir: ".build/servers" },
  {
    ...usual,
    esbuildPlugins: [...(usual.esbuildPlugins ?? []), nothingMeasured],
    entry: ["../server/src/node.ts"],
    outDir: ".build/plain",
  },
]);
