// Follows an answer over a line that breaks again and again, in Node, Bun and Deno.
import process from "node:process";
import { asked } from "./asked.mjs";

const [, , url, transport] = process.argv;
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
console.log(JSON.stringify(await asked({ url, transport, WebSocket })));
