// `npm run bench`: sets up, installs the peers (they are nobody's dependency), and measures our server beside them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { prepare, root, stayBeside } from "./setup.mjs";

const folder = path.join(root, "apps/bench");

if (process.platform !== "linux") {
  console.error("The bench reads CPU and memory of processes from /proc: it runs on Linux only");
  process.exit(1);
}
prepare();
installPeers();
stayBeside(["bench.mjs", ...process.argv.slice(2)], { cwd: folder });

function installPeers() {
  const stampFile = path.join(folder, "node_modules/.parley-installed");
  const stamp = readFileSync(path.join(folder, "package.json"), "utf8");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.log("Installing the peers (once, and again when they change) …");
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  const result = spawnSync("npm", args, { cwd: folder, stdio: "inherit" });
  if (result.status !== 0) {
    console.error("The peers could not be installed: is the npm registry reachable?");
    process.exit(result.status ?? 1);
  }
  writeFileSync(stampFile, stamp);
}
