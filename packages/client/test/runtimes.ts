import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Consumer } from "./consumer.ts";
import { writeConfig } from "./workerd.ts";
import { mustRun } from "./workspace.ts";

const versions = { bun: "1.4.5", deno: "2.9.6", workerd: "1.20260426.1" };
const mayDownload = Boolean(process.env.CI);

export type Runtime = keyof typeof versions;
export const runtimes: Runtime[] = ["bun", "deno", "workerd"];

interface Place {
  url: string;
  transport: string;
}

interface Seen {
  text: string;
  status: string | null;
  gaps: number;
  stored: string;
}

const isOnPath = (name: Runtime) =>
  (process.env.PATH ?? "").split(path.delimiter).some((folder) => existsSync(path.join(folder, name)));
const missing = runtimes.filter((name) => !isOnPath(name));

/** All of them where `CI` is set, which downloads 130 MB; otherwise those on the PATH. */
export const canBeTried = (name: Runtime) => mayDownload || isOnPath(name);
if (missing.length > 0 && !mayDownload) {
  console.warn(
    `SKIPPED: the client was not tried in ${missing.join(", ")}: not on the PATH, and downloaded only where CI is set`,
  );
}

/** Of what is not on the PATH, the versions above: in the consumer's folder, outside the workspace. */
export async function installRuntimes({ folder }: Consumer): Promise<(name: Runtime) => string> {
  const own = path.join(folder, "runtimes");
  const packages = missing.map((name) => `${name}@${versions[name]}`);
  if (mayDownload && packages.length > 0) {
    await mkdir(own);
    await writeFile(path.join(own, "package.json"), "{}");
    await mustRun("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], own);
  }
  return (name) => (missing.includes(name) ? path.join(own, "node_modules/.bin", name) : name);
}

/** What the consumer's program sees there. */
export async function askIn(runtime: Runtime, program: string, consumer: Consumer, place: Place): Promise<Seen> {
  const output = await mustRun(program, await argumentsFor(runtime, consumer, place), consumer.folder);
  return objectIn<Seen>(output);
}

/** What the Worker of the README answers, which asks the server with a key. */
export async function askRecipe(
  program: string,
  consumer: Consumer,
  { url, key }: { url: string; key: string },
): Promise<string> {
  const recipe = { name: "recipe", source: "recipe.ts", texts: { PARLEY_KEY: key }, services: { CHAT: "chat" } };
  const caller = { name: "caller", source: "recipe-caller.mjs", services: { recipe: "recipe" } };
  const config = await writeConfig(consumer, [recipe, caller], { chat: new URL(url).host });
  return objectIn<{ text: string }>(await mustRun(program, ["test", config], consumer.folder)).text;
}

function objectIn<Said>(output: string): Said {
  const line = output.split("\n").find((each) => each.startsWith("{"));
  if (!line) throw new Error(`It said nothing of an answer:\n${output}`);
  return JSON.parse(line) as Said;
}

async function argumentsFor(runtime: Runtime, consumer: Consumer, { url, transport }: Place): Promise<string[]> {
  switch (runtime) {
    case "bun":
      return ["resume.mjs", url, transport];
    case "deno":
      return ["run", "--no-remote", `--allow-net=${new URL(url).host}`, "resume.mjs", url, transport];
    case "workerd":
      return ["test", await writeConfig(consumer, [{ name: "main", source: "worker.mjs", texts: { url, transport } }])];
  }
}
