// `npm run edge:start`: how long workerd takes with the worker until it listens, and to its first answers; beside one that only
// answers. Without Miniflare, which takes most of its time to hand the scripts over. With TEST_DATABASE_URL.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { openTestDatabase } from "@parley/testing";
import { bundleWorker } from "./bundle.ts";
import { type WorkerdOptions, workerdConfig } from "./workerd-config.ts";

// It has no types of its own.
const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
const rounds = Number(process.argv[2] ?? 11);
const texts = { JWT_SECRET: "for-measuring-only-0123456789-0123456789", OLLAMA_URL: "off", LOG_LEVEL: "error" };

await using database = await openTestDatabase("postgres");
const folder = await mkdtemp(path.join(os.tmpdir(), "parley-edge-start-"));
try {
  await measure(await writeConfigs(database.url ?? ""));
} finally {
  await rm(folder, { recursive: true });
}

type Configs = Record<"trivial" | "parley", string>;

async function writeConfigs(databaseUrl: string): Promise<Configs> {
  const { entry, chunks, wasm } = await bundleWorker();
  const trivial = { name: "trivial.mjs", contents: `export default { fetch: () => new Response("ok") };` };
  for (const { name, contents } of [trivial, entry, ...chunks, ...wasm]) await writeFile(path.join(folder, name), contents);
  const objectsFolder = path.join(folder, "objects");
  await mkdir(objectsFolder);
  const modules = [
    ...[entry, ...chunks].map(({ name }) => ({ name, kind: "esModule" as const })),
    ...wasm.map(({ name }) => ({ name, kind: "wasm" as const })),
  ];
  return {
    trivial: await writeConfig("trivial", { modules: [{ name: trivial.name, kind: "esModule" }] }),
    parley: await writeConfig("parley", { modules, bindings: { texts, databaseUrl, objectsFolder } }),
  };
}

async function writeConfig(name: string, options: WorkerdOptions): Promise<string> {
  const file = path.join(folder, `${name}.capnp`);
  await writeFile(file, workerdConfig(options));
  return file;
}

async function measure({ trivial, parley }: Configs): Promise<void> {
  const measured = { trivial: [] as number[][], parley: [] as number[][] };
  // What the first round loads is not what is measured.
  for (let round = -1; round < rounds; round++) {
    const trivialTimes = await timed(trivial, ["/live"]);
    const parleyTimes = await timed(parley, ["/live", "/ready", "/live"]);
    if (round < 0) continue;
    measured.trivial.push(trivialTimes);
    measured.parley.push(parleyTimes);
  }
  for (const [name, times] of Object.entries(measured)) {
    const columns = (times[0] ?? []).map((_, column) => median(times.map((each) => each[column] ?? Number.NaN)).toFixed(0));
    console.log(`${name.padEnd(8)} listens, then answers after: ${columns.join(", ")} ms (medians of ${rounds})`);
  }
}

/** Milliseconds from before it is started until it listens, and to the answer of what is asked next. */
async function timed(config: string, routes: readonly string[]): Promise<number[]> {
  const startedAt = performance.now();
  const child = spawn(workerd, ["serve", "--control-fd=3", config], { stdio: ["ignore", 1, 2, "pipe"] });
  try {
    const url = `http://127.0.0.1:${await portOf(child.stdio[3] as Readable)}`;
    const times = [performance.now() - startedAt];
    for (const route of routes) {
      const response = await fetch(`${url}${route}`);
      await response.text();
      if (!response.ok) throw new Error(`${route} is answered with ${response.status}`);
      times.push(performance.now() - startedAt);
    }
    return times;
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

async function portOf(control: Readable): Promise<number> {
  for await (const line of createInterface({ input: control })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  throw new Error("workerd has ended");
}

function median(numbers: number[]): number {
  return numbers.toSorted((first, second) => first - second)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
