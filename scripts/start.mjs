// `npm start`: everything from a fresh clone to a running server, in this very process, so that signals reach it.
import { prepare } from "./setup.mjs";

prepare();
await import(new URL("../apps/server/dist/node.js", import.meta.url).href);
