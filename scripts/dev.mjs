// `npm run dev`: the server from its sources, restarted at every change.
import { spawn } from "node:child_process";
import path from "node:path";
import { prepare, root } from "./setup.mjs";

prepare();
const watcher = spawn(
  process.execPath,
  [path.join(root, "node_modules/tsx/dist/cli.mjs"), "watch", "--clear-screen=false", "apps/server/src/node.ts"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => watcher.kill(signal));
watcher.on("exit", (code) => process.exit(code ?? 0));
