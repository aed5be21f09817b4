import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { bundleWorker } from "../scripts/edge/bundle.ts";

const mayDownload = Boolean(process.env.CI);
const wrangler = "wrangler@4.86.0";
if (!mayDownload) console.warn(`SKIPPED: what ${wrangler} would deploy was not looked at: it is downloaded only where CI is set`);

test.runIf(mayDownload)(
  "wrangler deploys all scripts of the worker, also those that are read later",
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "parley-deployed-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await promisify(execFile)("npx", ["--yes", wrangler, "deploy", "--dry-run", "--outdir", folder], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const { entry, chunks, wasm } = await bundleWorker();
    const names = [entry, ...chunks, ...wasm].map(({ name }) => name);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(names));
  },
  240_000,
);
