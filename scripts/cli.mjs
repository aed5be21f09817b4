// `npm run -s cli -- ask "…"`: the command line from a clone. What preparing says goes beside the command's own output.
import path from "node:path";
import { prepare, root, run } from "./setup.mjs";

console.log = console.error;
prepare({ build: false });
run("turbo", ["run", "build", "--filter=parley-cli", "--output-logs=errors-only"], { quiet: true });
await import(new URL(`file://${path.join(root, "apps/cli/dist/parley.js")}`).href);
