// `npm run dev`: the server from its sources, restarted at every change.
import path from "node:path";
import { prepare, root, stayBeside } from "./setup.mjs";

prepare();
const tsx = path.join(root, "node_modules/tsx/dist/cli.mjs");
stayBeside([tsx, "watch", "--clear-screen=false", "apps/server/src/node.ts"]);
