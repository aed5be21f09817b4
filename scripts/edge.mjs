// `npm run edge`: everything from a fresh clone to the worker in workerd, on this machine.
import { spawn } from "node:child_process";
import path from "node:path";
import { prepare, root } from "./setup.mjs";

prepare();
const tsx = path.join(root, "node_modules/tsx/dist/cli.mjs");
const worker = spawn(process.execPath, [tsx, "apps/server/scripts/edge/serve.ts"], { cwd: root, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => worker.kill(signal));
worker.on("exit", (code) => process.exit(code ?? 0));
