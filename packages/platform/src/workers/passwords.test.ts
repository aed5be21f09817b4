import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Passwords } from "@parley/core/ports";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passwordsContract } from "../contracts/passwords.ts";

// It is in workerd, which alone can load it, and is asked over HTTP.
let miniflare: Miniflare;
const outdated = new Map<string, boolean>();
const wasm = ["argon2", "blake2b"].map((name) => `argon2-wasm-edge/wasm/${name}.wasm`);

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { wasmPasswords } from "./passwords.ts";
        export default {
          async fetch(request) {
            const passwords = await wasmPasswords();
            const { name, given } = await request.json();
            const result = await passwords[name](...given);
            return Response.json({ result, isOutdated: passwords.isOutdated(name === "hash" ? result : given[0]) });
          },
        };`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "esm",
    external: ["*.wasm"],
  });
  const compiled = wasm.map(async (name) => ({
    type: "CompiledWasm" as const,
    path: name,
    contents: await readFile(fileURLToPath(import.meta.resolve(name))),
  }));
  miniflare = new Miniflare({
    cf: false,
    modules: [
      { type: "ESModule", path: "passwords.mjs", contents: outputFiles[0]?.contents ?? "" },
      ...(await Promise.all(compiled)),
    ],
    compatibilityDate: "2026-04-24",
  });
});
afterAll(() => miniflare.dispose());

async function ask<Result>(name: "hash" | "verify", ...given: string[]): Promise<Result> {
  const response = await miniflare.dispatchFetch("http://passwords", { method: "POST", body: JSON.stringify({ name, given }) });
  const { result, isOutdated } = (await response.json()) as { result: Result; isOutdated: boolean };
  outdated.set(name === "hash" ? String(result) : (given[0] ?? ""), isOutdated);
  return result;
}

const passwords: Passwords = {
  hash: (password) => ask<string>("hash", password),
  verify: (hash, password) => ask<boolean>("verify", hash, password),
  isOutdated(hash) {
    const known = outdated.get(hash);
    if (known === undefined) throw new Error("Only what was hashed or verified before is known here");
    return known;
  },
};

describe("wasmPasswords", () => {
  passwordsContract(() => passwords);

  test("takes a hash of bcrypt for no password's, not even for its own", async () => {
    const bcrypt = "$2b$04$/.fjlXmTeDEBW810Dwzpu.Vihc/tYE5J/Ub5uewLxNy4CEHHEBXTq";
    expect(await passwords.verify(bcrypt, "Correct-horse-1")).toBe(false);
    expect(passwords.isOutdated(bcrypt)).toBe(true);
  });
});
