// `npm run soak`: random sequences of mishaps, as many as one likes, until one does not hold.
import { parseArgs } from "node:util";
import { findServices } from "./services.mjs";
import { prepare, run } from "./setup.mjs";

const help = `npm run soak -- [--cases N] [--minutes N] [--seed N] [--log memory|postgres|redis|edge] [--processes]

  --cases      how many on each log (1000; with --processes 25, all at once)
  --minutes    until so much time has passed on each log, instead
  --seed       of the first case; the same seed makes the same sequences
  --log        that one only; edge is the worker in workerd
  --processes  real processes, which are killed, instead of servers in one process`;

const options = { type: "string" };
const { values } = parseArgs({
  options: {
    cases: options,
    minutes: options,
    seed: options,
    log: options,
    processes: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
for (const name of ["cases", "minutes", "seed"]) {
  if (values[name] === undefined || Number(values[name]) >= 0) continue;
  console.error(`--${name} takes a number\n\n${help}`);
  process.exit(1);
}
prepare();
const { processes, log, minutes, seed = String(Math.floor(Math.random() * 2 ** 32)) } = values;
const cases = values.cases ?? (processes ? "25" : minutes ? "1e9" : "1000");
const chosen = { SOAK_SEED: seed, SOAK_CASES: cases, ...(log && { SOAK_LOG: log }), ...(minutes && { SOAK_MINUTES: minutes }) };
const file = processes ? "apps/server/test/soak/processes.test.ts" : "apps/server/test/soak/soak.test.ts";
run("vitest", ["run", file, "--disable-console-intercept"], { env: { ...(await findServices()), ...chosen } });
