import type { Plugin } from "esbuild";

const never = "() => { throw new Error('This was left out of the worker') }";

/** What the worker's libraries bring along and it never asks for: JSON schemas of zod, and the replication of postgres.js. */
const modules = [
  {
    filter: /[/\\]zod[/\\]v4[/\\]core[/\\]to-json-schema\.js$/,
    contents: `const never = ${never};
      export { never as initializeContext, never as handleUnrepresentable, never as processSchema, never as extractDefs, never as finalize };
      export const createToJSONSchemaMethod = () => never;
      export const createStandardJSONSchemaMethod = () => never;`,
  },
  { filter: /[/\\]postgres[/\\]cf[/\\]src[/\\]subscribe\.js$/, contents: `export default () => ${never};` },
];

export const leftOut: Plugin = {
  name: "what is left out",
  setup(build) {
    const missing = new Set(modules);
    for (const module of modules) {
      build.onLoad({ filter: module.filter }, () => {
        missing.delete(module);
        return { contents: module.contents, loader: "js" };
      });
    }
    build.onEnd(() => {
      if (missing.size > 0) throw new Error(`Nothing was left out for ${Array.from(missing, ({ filter }) => filter).join(", ")}`);
    });
  },
};
