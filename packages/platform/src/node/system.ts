import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, loadavg, release, totalmem, type } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { System, SystemReading } from "@parley/core/ports";

interface Options {
  node: string;
  /** Where the data is kept; null where this machine keeps none. */
  dataFolder: string | null;
}

const delayResolutionMs = 20;
const nanoseconds = 1_000_000;

export function nodeSystem({ node, dataFolder }: Options): System & { close(): void } {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  const cores = availableParallelism();
  let before = { at: performance.now(), own: process.cpuUsage(), all: machineTimes() };

  function readCpu(): SystemReading["cpu"] {
    const now = { at: performance.now(), own: process.cpuUsage(), all: machineTimes() };
    const elapsedMs = now.at - before.at;
    const own = (now.own.user + now.own.system - before.own.user - before.own.system) / 1_000;
    const all = now.all.total - before.all.total;
    const busy = all === 0 ? null : 1 - (now.all.idle - before.all.idle) / all;
    before = now;
    return { process: elapsedMs === 0 ? null : own / elapsedMs, machine: busy };
  }

  function readDelay(): SystemReading["delayMs"] {
    // The histogram counts its own waiting as well.
    const late = (value: number) => Math.max(0, value / nanoseconds - delayResolutionMs);
    const read = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    const isEmpty = delay.count === 0;
    delay.reset();
    return isEmpty ? null : read;
  }

  async function readRoom() {
    return { memory: readMemory(), disk: dataFolder === null ? null : await readDisk(dataFolder) };
  }

  return {
    node,
    platform: { runtime: `Node ${process.versions.node}`, os: `${type()} ${release()}`, cores },
    startedAt: new Date(Date.now() - process.uptime() * 1_000),
    usage() {
      const { user, system } = process.cpuUsage();
      const { rss, heapTotal, heapUsed } = process.memoryUsage();
      const { heap_size_limit: heapLimit } = getHeapStatistics();
      return { cpuSeconds: (user + system) / 1_000_000, memory: { resident: rss, heapUsed, heapTotal, heapLimit } };
    },
    async read() {
      const read = { cpu: readCpu(), loadAverage: loadavg()[0] ?? null, delayMs: readDelay() };
      return { ...read, ...(await readRoom()) };
    },
    readRoom,
    close() {
      delay.disable();
    },
  };
}

function machineTimes() {
  let [total, idle] = [0, 0];
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { total, idle };
}

function readMemory(): SystemReading["memory"] {
  const heap = getHeapStatistics();
  const { rss } = process.memoryUsage();
  return { resident: rss, heapUsed: heap.used_heap_size, heapLimit: heap.heap_size_limit, ...machineMemory() };
}

/** A container's own limit, where it has one. */
function machineMemory() {
  const total = totalmem();
  const limit = process.constrainedMemory();
  if (limit > 0 && limit < total) return { machineTotal: limit, machineUsed: process.memoryUsage().rss };
  return { machineTotal: total, machineUsed: total - freemem() };
}

async function readDisk(folder: string): Promise<SystemReading["disk"]> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    return null;
  }
}
