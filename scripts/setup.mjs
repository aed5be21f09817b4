// Gets a fresh clone ready: dependencies by a pinned pnpm, which nobody has to install, and what is built.
// `prepare()` does nothing when nothing has changed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const bin = path.join(root, "node_modules/.bin");
const { packageManager, engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** What it does is said by `say`. */
export function prepare({ build = true, say = console.log } = {}) {
  checkNode();
  install(say);
  if (build) run("turbo", ["run", "build", "--output-logs=errors-only", "--log-order=grouped"], { quiet: true });
}

/** Runs a tool of the workspace and ends with it when it fails. */
export function run(tool, args, { quiet = false, env = {} } = {}) {
  const result = spawnSync(path.join(bin, tool), args, {
    cwd: root,
    shell: process.platform === "win32",
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    env: { ...environment(), ...env },
    encoding: "utf8",
  });
  if (result.status === 0) return;
  if (quiet) process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  if (result.error) console.error(`${tool}: ${result.error.message}`);
  process.exit(result.status ?? 1);
}

/** Runs a program of ours, hands signals on to it, and ends as it ends: well, where a signal was to end it. */
export function stayBeside(args, { cwd = root } = {}) {
  const program = spawn(process.execPath, args, { cwd, stdio: "inherit" });
  let isToEnd = false;
  // A terminal sends Ctrl+C to both: the program ends what is its own, and this one waits for it.
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      isToEnd = true;
      program.kill(signal);
    });
  }
  program.on("exit", (code) => process.exit(code ?? (isToEnd ? 0 : 1)));
}

function environment() {
  return { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
}

function checkNode() {
  const wanted = engines.node.replace(">=", "").split(".").map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  console.error(`Parley needs Node ${engines.node}; this is ${process.versions.node}`);
  process.exit(1);
}

function install(say) {
  const stampFile = path.join(root, "node_modules/.parley-installed");
  const stamp = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  say("Installing dependencies (once, and again when they change) …");
  const args = ["--yes", packageManager, "install", "--frozen-lockfile", "--reporter=silent"];
  const result = spawnSync("npx", args, { cwd: root, shell: process.platform === "win32", stdio: "inherit", env: environment() });
  if (result.status !== 0) {
    console.error("The dependencies could not be installed: is the npm registry reachable?");
    process.exit(result.status ?? 1);
  }
  writeFileSync(stampFile, stamp);
}

/** Changes with every file that decides what is installed. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.versions.modules} ${process.platform} ${process.arch}`);
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(path.join(root, file)));
  for (const folder of ["apps", "packages"]) {
    for (const name of readdirSync(path.join(root, folder)).sort()) {
      const file = path.join(root, folder, name, "package.json");
      if (existsSync(file)) hash.update(readFileSync(file));
    }
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare({ build: false });
