// Preloaded into a server: fills its memory at one signal, and frees it at the next.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const megabytes = 600;
let held = [];

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

process.on("SIGUSR2", () => {
  if (held.length === 0) {
    held = Array.from({ length: megabytes }, () => Buffer.alloc(1_024 * 1_024, 1));
  } else {
    held = [];
    collect();
  }
});
