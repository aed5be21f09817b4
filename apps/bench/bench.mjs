#!/usr/bin/env node
// Our server beside its peers. Started by `npm run bench`, which installs and builds what is needed first.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { closeServer } from "./lib/postgres.mjs";
import { RESULTS } from "./lib/proc.mjs";
import { buildProduct } from "./lib/product.mjs";
import { describeProfile } from "./lib/profile.mjs";
import { targets } from "./targets.mjs";

/** `short` is what a run of everything uses. */
const rows = {
  turns: { suite: "turns", seconds: 5, rounds: 5, short: { seconds: 2, rounds: 3 } },
  stream: { suite: "turns", seconds: 5, rounds: 3, short: null },
  token: { suite: "token", seconds: 3, rounds: 5, short: { seconds: 2, rounds: 2 } },
  fanout: { suite: "fanout", seconds: 4, rounds: 5, short: { seconds: 2, rounds: 3 } },
  idle: { suite: "idle", rounds: 3, short: { rounds: 1 } },
  rpc: { suite: "rpc", seconds: 4, rounds: 5, short: { seconds: 2, rounds: 3 } },
  auth: { suite: "auth", seconds: 4, rounds: 5, short: { seconds: 2, rounds: 3 } },
  start: { suite: "start", rounds: 5, short: { rounds: 2 } },
  lists: { suite: "lists", rounds: 5, short: { rounds: 3 } },
  metrics: { suite: "metrics", seconds: 3, rounds: 9, short: { seconds: 2, rounds: 3 } },
};
const most = { seconds: 30, rounds: 15 };
const usage = `npm run bench -- [${Object.keys(rows).join(" | ")}] [--targets a,b] [--rounds N] [--seconds N] [--levels N,N]
                 [--tokens N] [--profile TARGET] [--keep-build] [--json FILE] [--list]`;

const { values: given, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: {
    targets: { type: "string" },
    seconds: { type: "string" },
    rounds: { type: "string" },
    levels: { type: "string" },
    tokens: { type: "string", default: "60" },
    profile: { type: "string" },
    json: { type: "string" },
    "keep-build": { type: "boolean" },
    list: { type: "boolean" },
    help: { type: "boolean" },
  },
});

function fail(message) {
  console.error(message);
  process.exit(2);
}

if (given.help) {
  console.log(usage);
  process.exit(0);
}
const unknown = asked.find((row) => !rows[row]);
if (unknown) fail(`There is no row "${unknown}"\n${usage}`);
if (given.targets && asked.length !== 1) fail("--targets goes with one row");
if (given.list) {
  for (const row of asked.length > 0 ? asked : Object.keys(rows)) {
    const names = Object.entries(targets[row]).map(([name, { extra }]) => (extra ? `(${name})` : name));
    console.log(`${row}: ${names.join(" ")}`);
  }
  process.exit(0);
}

const plans = (asked.length > 0 ? asked : Object.keys(rows).filter((row) => rows[row].short)).map((row) => plan(row));
try {
  if (!given["keep-build"]) buildProduct();
  console.log(
    `# Parley beside its peers\n\nNode ${process.version}, ${os.cpus().length} cores (${os.cpus()[0].model}). Medians of rounds; read the ratios.`,
  );
  const results = {};
  for (const each of plans) results[each.row] = await runRow(each);
  save(results);
  if (Object.values(results).some(({ data }) => hasOurFailure(data))) process.exitCode = 1;
} finally {
  await closeServer();
}
process.exit();

/** A peer that does not start is a gap in the table; ours is a failure of the run. */
function hasOurFailure(data) {
  const parts = data.errors ? [data] : Object.values(data);
  return parts.some(({ errors }) => Object.keys(errors).some((name) => name.startsWith("parley")));
}

function plan(row) {
  const { suite, short, ...usual } = rows[row];
  const all = targets[row];
  const names = given.targets?.split(",") ?? Object.keys(all).filter((name) => !all[name].extra);
  const missing = names.find((name) => !all[name]);
  if (missing) fail(`${row} has no target "${missing}"; it has ${Object.keys(all).join(", ")}`);
  const { seconds, rounds } = { ...usual, ...(asked.length === 0 && short) };
  return {
    row,
    suite,
    all,
    names,
    seconds: Math.min(most.seconds, Number(given.seconds ?? seconds)),
    rounds: Math.min(most.rounds, Number(given.rounds ?? rounds)),
    levels: given.levels?.split(",").map(Number),
    tokens: Number(given.tokens),
    profile: given.profile,
  };
}

async function runRow({ suite, ...options }) {
  const { row, names, rounds, seconds, profile } = options;
  const { run } = await import(`./suites/${suite}.mjs`);
  const startedAt = Date.now();
  const load = os.loadavg()[0].toFixed(1);
  const { markdown, data } = await run(options);
  const took = Math.round((Date.now() - startedAt) / 1000);
  const windows = Number.isFinite(seconds) ? ` of ${seconds} s` : "";
  console.log(`\n## ${row}: ${rounds} rounds${windows}, load ${load} before, took ${took} s\n\n${markdown}`);
  if (profile && names.includes(profile)) {
    const file = path.join(RESULTS, "profiles", `${row}-${profile}.cpuprofile`);
    const text = existsSync(file) ? describeProfile(file) : "This row takes no profile, or the round for it failed.";
    console.log(`\n### Where ${profile} spends its time (${file})\n\n${text}`);
  }
  return { rounds, seconds, data };
}

function save(results) {
  mkdirSync(RESULTS, { recursive: true });
  const file = given.json ?? path.join(RESULTS, `${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
  writeFileSync(file, JSON.stringify({ node: process.version, cpu: os.cpus()[0].model, results }, null, 1));
  console.log(`\n(all figures: ${file})`);
}
