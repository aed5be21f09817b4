import { cp, readFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";

type PluginBuild = Parameters<NonNullable<Options["esbuildPlugins"]>[number]["setup"]>[0];

/**
 * tRPC is compiled for engines without object spread, and its stand-in defines each property of its options and of our context
 * anew at every step of a call: a third of the CPU of a small one. Every engine that we run on can spread.
 */
const nativeSpread = {
  name: "native spread in tRPC",
  setup(build: PluginBuild) {
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

export default defineConfig({
  esbuildPlugins: [nativeSpread],
  entry: ["src/node.ts", "src/template.ts"],
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  clean: true,
  sourcemap: true,
  // One file to load instead of hundreds. What stays outside has native parts, WebAssembly or files of its own.
  noExternal: [
    /^@parley\//,
    "hono",
    "@hono/node-server",
    "zod",
    "superjson",
    "jose",
    "ipaddr.js",
    /^@sentry\//,
    /^@trpc\//,
    /^drizzle-orm/,
    "postgres",
    "bowser",
    "rate-limiter-flexible",
  ],
  external: ["@electric-sql/pglite", "@node-rs/argon2", "@node-rs/bcrypt", "pino", "ws", "ioredis", "nodemailer"],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  onSuccess: () => cp("../../drizzle", "dist/drizzle", { recursive: true }),
});
