import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * tRPC is compiled for engines without object spread, and its stand-in defines each property of its options and of our context
 * anew at every step of a call: a third of the CPU of a small one. Every engine that we run on can spread.
 */
export const nativeSpread: Plugin = {
  name: "native spread in tRPC",
  setup(build) {
    build.onLoad({ filter: /@trpc[/\\]server[/\\]dist[/\\]getErrorShape-[^/\\]*\.mjs$/ }, async ({ path }) => {
      const code = await readFile(path, "utf8");
      const contents = code.replace(
        /function _objectSpread2\(e\) \{.*?\n\}/s,
        "function _objectSpread2(first, second, third) { return { ...first, ...second, ...third }; }",
      );
      if (contents === code) throw new Error("tRPC has no _objectSpread2 where it was: see whether nativeSpread is still needed");
      return { contents, loader: "js" };
    });
  },
};
