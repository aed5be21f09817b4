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
import { compatibility, durableObjects } from "./deployment.ts";

// It has no types of its own.
const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
const rounds = Number(process.argv[2] ?? 11);

interface Configuration {
  modules: { name: string; kind: "esModule" | "wasm" }[];
  /** In the configuration's own language. */
  more?: string;
}

const folder = await mkdtemp(path.join(os.tmpdir(), "parley-edge-start-"));
await using database = await openTestDatabase("postgres");
const { scripts, wasm } = await bundleWorker();
for (const { name, contents } of [...scripts, ...wasm]) await writeFile(path.join(folder, name), contents);
await writeFile(path.join(folder, "answers-only.mjs"), `export default { fetch: () => new Response("ok") };`);
await mkdir(path.join(folder, "objects"));

const trivial = await written("trivial", { modules: [{ name: "answers-only.mjs", kind: "esModule" }] });
const parley = await written("parley", {
  modules: [
    ...scripts.map(({ name }) => ({ name, kind: "esModule" as const })),
    ...wasm.map(({ name }) => ({ name, kind: "wasm" as const })),
  ],
  more: objectsAndBindings(),
});

function objectsAndBindings(): string {
  const objects = Object.entries(durableObjects);
  const classes = objects.map(([, { className }]) => `(className="${className}", uniqueKey="${className}", enableSql=true)`);
  const texts = { JWT_SECRET: "for-measuring-only-0123456789-0123456789", OLLAMA_URL: "off", LOG_LEVEL: "error" };
  const hyperdrive = JSON.stringify({ connectionString: database.url }).replaceAll('"', '\\"');
  const bindings = [
    ...objects.map(([name, { className }]) => `(name="${name}", durableObjectNamespace="${className}")`),
    ...Object.entries(texts).map(([name, text]) => `(name="${name}", text="${text}")`),
    `(name="HYPERDRIVE", json="${hyperdrive}")`,
  ];
  return `durableObjectNamespaces=[${classes}], durableObjectStorage=(localDisk="objects"), bindings=[${bindings}],`;
}

async function written(name: string, { modules, more = "" }: Configuration): Promise<string> {
  const { compatibilityDate: date, compatibilityFlags: flags } = compatibility;
  const file = path.join(folder, `${name}.capnp`);
  await writeFile(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const worker :Workerd.Worker = (
  modules=[${modules.map((module) => `(name="${module.name}", ${module.kind}=embed "${module.name}")`)}],
  ${more}
  compatibilityDate="${date}", compatibilityFlags=[${flags.map((flag) => `"${flag}"`)}]);
const config :Workerd.Config = (
  services=[
    (name="main", worker = .worker),
    (name="internet", network=(allow=["private"])),
    (name="objects", disk=(path="${folder}/objects", writable=true)),
  ],
  sockets=[(name="http", address="127.0.0.1:0", http=(), service="main")]);`,
  );
  return file;
}

/** Milliseconds from before it is started until it listens, and to the answer of what is asked next. */
async function timed(file: string, paths: readonly string[]): Promise<number[]> {
  const startedAt = performance.now();
  const child = spawn(workerd, ["serve", "--experimental", "--control-fd=3", file], { stdio: ["ignore", 1, 2, "pipe"] });
  try {
    const url = `http://127.0.0.1:${await portOf(child.stdio[3] as Readable)}`;
    const times = [performance.now() - startedAt];
    for (const path of paths) {
      const response = await fetch(`${url}${path}`);
      await response.text();
      if (!response.ok) throw new Error(`${path} is answered with ${response.status}`);
      times.push(performance.now() - startedAt);
    }
    return times;
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

async function portOf(said: Readable): Promise<number> {
  for await (const line of createInterface({ input: said })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  throw new Error("workerd has ended");
}

function median(numbers: number[]): number {
  return numbers.toSorted((first, second) => first - second)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const measured = { trivial: [] as number[][], parley: [] as number[][] };
// What the first round loads is not what is measured.
for (let round = -1; round < rounds; round++) {
  const trivialTimes = await timed(trivial, ["/live"]);
  const parleyTimes = await timed(parley, ["/live", "/ready", "/live"]);
  if (round < 0) continue;
  measured.trivial.push(trivialTimes);
  measured.parley.push(parleyTimes);
}
await rm(folder, { recursive: true });
for (const [name, times] of Object.entries(measured)) {
  const columns = (times[0] ?? []).map((_, column) => median(times.map((each) => each[column] ?? Number.NaN)).toFixed(0));
  console.log(`${name.padEnd(8)} listens, then answers after: ${columns.join(", ")} ms (medians of ${rounds})`);
}
