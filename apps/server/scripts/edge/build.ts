// `npm run edge:build`: what `wrangler deploy` hands over, the same bytes as the tests and `npm run edge` run.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleWorker } from "./bundle.ts";

const folder = fileURLToPath(new URL("../../dist-edge", import.meta.url));
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
const { entry, chunks, wasm } = await bundleWorker();
for (const { name, contents } of [entry, ...chunks, ...wasm]) {
  await writeFile(path.join(folder, name), contents);
  console.log(`${name}  ${(gzipSync(contents).length / 1_024).toFixed(0)} KB gzipped`);
}
