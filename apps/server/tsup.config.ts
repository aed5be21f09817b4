import { cp } from "node:fs/promises";
import { defineConfig } from "tsup";
import { nativeSpread } from "./scripts/native-spread.ts";

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
