// `npm run edge`: everything from a fresh clone to the worker in workerd, on this machine.
import path from "node:path";
import { prepare, root, stayBeside } from "./setup.mjs";

prepare();
stayBeside([path.join(root, "node_modules/tsx/dist/cli.mjs"), "apps/server/scripts/edge/serve.ts"]);
