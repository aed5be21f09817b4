// `npm run -s cli -- ask "…"`: the command line from a clone. What preparing says goes beside the command's own output.
import { prepare, run } from "./setup.mjs";

prepare({ build: false, say: console.error });
run("turbo", ["run", "build", "--filter=parley-cli", "--output-logs=errors-only"], { quiet: true });
await import(new URL("../apps/cli/dist/parley.js", import.meta.url).href);
