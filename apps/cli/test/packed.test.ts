import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "../../../packages/client/test/workspace.ts";
import { type TestApp, testApp } from "../../server/test/kit.ts";

const cliFolder = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
let folder: string;
let installed: string;
let app: TestApp;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  app = await testApp();
  folder = await mkdtemp(path.join(tmpdir(), "parley-packed-"));
  installed = path.join(folder, "node_modules/parley-cli");
  env = { PATH: process.env.PATH, HOME: process.env.HOME, PARLEY_CONFIG_DIR: path.join(folder, "config"), PARLEY_URL: app.url };
  const packed = await mustRun("pnpm", ["pack", "--json", "--pack-destination", folder], cliFolder);
  const { filename } = JSON.parse(packed.slice(packed.indexOf("{"))) as { filename: string };
  await writeFile(
    path.join(folder, "package.json"),
    JSON.stringify({ private: true, dependencies: { "parley-cli": `file:${filename}` } }),
  );
  await mustRun("npm", ["install", "--no-audit", "--no-fund", "--offline", "--ignore-scripts"], folder);
}, 120_000);
afterAll(async () => {
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

const parley = (...args: string[]) => run("npm", ["exec", "--offline", "--", "parley", ...args], { cwd: folder, env });

test("the tarball holds the command and nothing else, and needs nothing else", async () => {
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(installed, path.join(parentPath, name)));
  expect(files.sort()).toEqual(["LICENSE", "README.md", "dist/parley.js", "package.json"]);
  const manifest = await readFile(path.join(installed, "package.json"), "utf8");
  expect(JSON.parse(manifest).dependencies).toBeUndefined();
  const source = await readFile(path.join(installed, "dist/parley.js"), "utf8");
  const imported = Array.from(source.matchAll(/(?:\bfrom|\bimport\(?)\s*["']([\w@:/.-]+)["']/g), ([, name = ""]) => name);
  expect(imported.filter((name) => !name.startsWith("node:"))).toEqual([]);
  expect(imported.length).toBeGreaterThan(5);
  expect((await stat(path.join(installed, "dist/parley.js"))).size).toBeLessThan(250_000);
});

test("it runs by npm exec in a folder of its own", { timeout: 60_000 }, async () => {
  expect((await parley("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { email, password } = await app.person();
  await run("bash", ["-c", `printf '%s' '${password}' | npm exec --offline -- parley login --user ${email} --password-stdin`], {
    cwd: folder,
    env,
  });
  expect((await parley("ask", "Hello")).stdout).toContain("demonstration");
});

test("completion is a script that bash takes, and that knows every command", async () => {
  const { stdout: script } = await parley("completion", "bash");
  const file = path.join(folder, "completion.bash");
  await writeFile(file, script);
  await run("bash", ["-n", file]);
  const complete = async (...words: string[]) => {
    const line = `source ${file}; COMP_WORDS=(parley "$@"); COMP_CWORD=$#; _parley; echo "\${COMPREPLY[*]}"`;
    return (await run("bash", ["-c", line, "bash", ...words], { cwd: folder })).stdout.trim().split(" ");
  };
  expect(await complete("a")).toEqual(["ask", "attach"]);
  expect(await complete("keys", "")).toContain("create");
  expect(await complete("keys", "create", "--s")).toEqual(["--scope"]);
  expect(await complete("ask", "--no")).toEqual(["--no-stream"]);
  expect(await complete("export", "--format", "m")).toEqual(["markdown"]);
  expect(await complete("export", "-f", "m")).toEqual(["markdown"]);
  expect(await complete("ask", "-m", "-")).toEqual([""]);
});

test.for(["zsh", "fish"])("completion for %s is a script that it takes", async (shell, context) => {
  const { stdout: script } = await parley("completion", shell);
  expect(script).toContain("Prints the answer once it is whole");
  if (spawnSync(shell, ["--version"]).status !== 0) context.skip(`there is no ${shell} here to read it`);
  const file = path.join(folder, `completion.${shell}`);
  await writeFile(file, script);
  await run(shell, ["-n", file]);
});

test("serve starts the server of the clone that it is told, and ends with it", { timeout: 180_000 }, async () => {
  const root = path.resolve(cliFolder, "../..");
  await expect(parley("serve", "--from", folder)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no clone"),
  });
  const args = [path.join(installed, "dist/parley.js"), "serve", "--from", root, "--port", "0", "--data-dir", "data"];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...env, OLLAMA_URL: "off" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^Parley\s+(http:\S+)/.exec(line)?.[1] ?? url;
    if (line.startsWith("Models")) break;
  }
  child.stdout.resume();
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect(await readdir(path.join(folder, "data"))).not.toEqual([]);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
});
