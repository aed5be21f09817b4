// Starts, watches and ends the processes under test. CPU and memory are read from /proc, so a target may be any command
// in any language; one that forks is counted with all its descendants.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const RESULTS = path.join(ROOT, "results");
const HOOK = path.join(ROOT, "lib/hook.mjs");
const live = new Set();
const folders = new Set();

process.on("exit", () => {
  for (const target of live) target.killNow();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A folder that is gone when this process ends. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(path.join(tmpdir(), `parley-bench-${name}-`));
  folders.add(folder);
  return folder;
}

function read(file) {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A process and all its descendants. */
export function tree(pid) {
  const pids = [pid];
  for (const parent of pids) {
    for (const task of list(`/proc/${parent}/task`)) {
      const children = read(`/proc/${parent}/task/${task}/children`).trim();
      for (const child of children.split(" ")) if (child) pids.push(Number(child));
    }
  }
  return pids;
}

/** CPU seconds used so far: schedstat (ns) where the kernel has it, else stat (10 ms). */
export function cpuSeconds(pid) {
  let total = 0;
  for (const process of tree(pid)) {
    let nanoseconds = 0;
    for (const task of list(`/proc/${process}/task`)) {
      nanoseconds += Number(read(`/proc/${process}/task/${task}/schedstat`).split(" ")[0]) || 0;
    }
    if (nanoseconds) {
      total += nanoseconds / 1e9;
      continue;
    }
    const fields = read(`/proc/${process}/stat`).split(") ")[1]?.split(" ");
    if (fields) total += (Number(fields[11]) + Number(fields[12])) / 100;
  }
  return total;
}

function memoryMB(pid, field) {
  let kilobytes = 0;
  for (const process of tree(pid)) {
    kilobytes += Number(new RegExp(`${field}:\\s+(\\d+)`).exec(read(`/proc/${process}/status`))?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

export const rssMB = (pid) => memoryMB(pid, "VmRSS");
export const peakMB = (pid) => memoryMB(pid, "VmHWM");

function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {}
  }
}

/** Asks a Node target for a full garbage collection. */
export async function collectGarbage(pid) {
  signalAll(tree(pid), "SIGUSR2");
  await sleep(400);
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export function canConnect(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/**
 * spec: { cmd, env, cwd, hook, startMs }. Waits until the port accepts. `ipc` speaks to a script of ours;
 * `profile` names the file of a CPU profile, which `profiled` then writes.
 */
export async function launch(spec, { port, ipc = false, name = spec.cmd.join(" "), wait = true, profile = null } = {}) {
  const env = { ...process.env, NODE_ENV: "production", ...spec.env };
  if (port) env.PORT = String(port);
  if (spec.hook !== false && !ipc) env.NODE_OPTIONS = `--import=${HOOK} ${env.NODE_OPTIONS ?? ""}`;
  if (profile) env.BENCH_PROFILE = profile;
  const stdio = ["ignore", "pipe", "pipe", ...(ipc ? ["ipc"] : [])];
  const child = spawn(spec.cmd[0], spec.cmd.slice(1), { cwd: spec.cwd ?? ROOT, env, stdio });
  const target = { name, child, pid: child.pid, port, url: `http://127.0.0.1:${port}`, log: "", dead: false };
  const keep = (data) => {
    target.log = (target.log + data).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  target.exited = new Promise((resolve) => {
    child.on("exit", (code) => {
      target.dead = true;
      live.delete(target);
      resolve(code);
    });
  });
  child.on("error", (error) => {
    target.log += error.message;
    target.dead = true;
  });
  target.killNow = () => signalAll(tree(child.pid).reverse(), "SIGKILL");
  target.stop = () => stop(target);
  target.profiled = (work) => (profile ? profiled(target, profile, work) : work());
  live.add(target);
  if (port && wait) await untilListening(target, port, spec.startMs ?? 30_000);
  return target;
}

async function untilListening(target, port, startMs) {
  const until = Date.now() + startMs;
  while (!(await canConnect(port))) {
    if (target.dead || Date.now() > until) {
      target.killNow();
      throw new Error(`${target.name} did not come up\n${target.log}`);
    }
    await sleep(30);
  }
}

async function stop(target) {
  if (target.dead) return;
  const pids = tree(target.pid); // a shell or npm in front does not pass signals on
  signalAll(pids, "SIGTERM");
  const timer = setTimeout(target.killNow, 3000);
  await target.exited;
  clearTimeout(timer);
  for (let tries = 0; tries < 20 && pids.some((pid) => list(`/proc/${pid}`).length > 0); tries++) await sleep(100);
  signalAll(pids.slice(1), "SIGKILL");
}

async function profiled(target, file, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  process.kill(target.pid, "SIGWINCH");
  const result = await work();
  process.kill(target.pid, "SIGWINCH");
  for (let tries = 0; tries < 100 && !existsSync(file); tries++) await sleep(100);
  await sleep(500);
  return result;
}

/** One of our own scripts, spoken to over IPC: await call({ cmd, ... }). */
export async function worker(script, spec = { cmd: [process.execPath, script] }) {
  const target = await launch({ ...spec, hook: false }, { ipc: true, name: script });
  let waiting = null;
  const settle = (message) => {
    const current = waiting;
    waiting = null;
    if (message.error) current?.reject(new Error(message.error));
    else current?.resolve(message);
  };
  target.child.on("message", settle);
  target.exited.then(() => settle({ error: `${script} ended: ${target.log}` }));
  target.call = (message, milliseconds = 120_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle({ error: `${script} ${message.cmd}: no answer in time` }), milliseconds);
      waiting = {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      target.child.send(message);
    });
  return target;
}
