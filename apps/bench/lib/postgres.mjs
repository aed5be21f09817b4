// Where Postgres comes from: a throw-away cluster with default settings (fsync on), run as `postgres` when we are root;
// or the server that BENCH_DATABASE_URL names, on which databases are made and dropped again.
import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import postgres from "postgres";
import { freePort, temporaryFolder } from "./proc.mjs";

let opening;
let made = 0;

/** One for a whole run of the bench, started when it is first needed. */
export function openServer() {
  opening ??= process.env.BENCH_DATABASE_URL ? existing(process.env.BENCH_DATABASE_URL) : throwAway();
  return opening;
}

export async function closeServer() {
  if (opening) await (await opening.catch(() => null))?.close();
  opening = undefined;
}

async function existing(url) {
  const names = [];
  return {
    pid: null,
    createDatabase: () => createDatabase(url, names),
    async close() {
      const sql = postgres(url, { max: 1, onnotice() {} });
      for (const name of names) await sql.unsafe(`drop database if exists ${name} with (force)`);
      await sql.end();
    },
  };
}

async function throwAway() {
  const bin = findBin();
  if (!bin) throw new Error("no PostgreSQL: install one, name its bin folder in PG_BIN, or a server in BENCH_DATABASE_URL");
  const folder = temporaryFolder("postgres");
  const port = await freePort();
  const isRoot = process.getuid() === 0;
  if (isRoot) chownSync(folder, ...["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"]))));
  const run = (program, args) => {
    const command = [path.join(bin, program), ...args];
    const [file, ...rest] = isRoot ? ["runuser", "-u", "postgres", "--", ...command] : command;
    // The server that pg_ctl leaves behind would keep a pipe open.
    const result = spawnSync(file, rest, { encoding: "utf8", cwd: tmpdir(), stdio: program === "pg_ctl" ? "ignore" : "pipe" });
    if (result.status !== 0) throw new Error(`${program}: ${result.stderr ?? result.status}`);
  };
  const data = path.join(folder, "data");
  run("initdb", ["-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C"]);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -k ${folder}`;
  run("pg_ctl", ["-D", data, "-w", "-l", path.join(folder, "log"), "-o", options, "start"]);
  let isUp = true;
  const close = () => {
    if (!isUp) return;
    isUp = false;
    try {
      run("pg_ctl", ["-D", data, "-m", "immediate", "stop"]);
    } catch {}
  };
  process.prependListener("exit", close);
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  return {
    pid: Number(readFileSync(path.join(data, "postmaster.pid"), "utf8").split("\n")[0]),
    createDatabase: () => createDatabase(url, []),
    close,
  };
}

async function createDatabase(url, names) {
  const name = `bench_${process.pid}_${made++}`;
  const sql = postgres(url, { max: 1, onnotice() {} });
  await sql.unsafe(`create database ${name}`);
  await sql.end();
  names.push(name);
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}

function findBin() {
  if (process.env.PG_BIN) return process.env.PG_BIN;
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder).sort((a, b) => b - a) : [];
  return versions.map((version) => path.join(folder, version, "bin")).find((bin) => existsSync(path.join(bin, "initdb")));
}
