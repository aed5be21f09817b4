import type { AlertChannel, AlertNotice, Dependency, System, SystemReading } from "@parley/core/ports";

const megabyte = 1_024 * 1_024;
const atEase: SystemReading = {
  memory: {
    resident: 100 * megabyte,
    heapUsed: 50 * megabyte,
    heapLimit: 1_000 * megabyte,
    machineUsed: 1_000 * megabyte,
    machineTotal: 4_000 * megabyte,
  },
  cpu: { process: 0.1, machine: 0.1 },
  loadAverage: 0.5,
  delayMs: { p50: 1, p99: 5, max: 10 },
  disk: { free: 500 * megabyte, total: 1_000 * megabyte },
};

/** A machine at ease, until a test says otherwise. Shares are from 0 to 1. */
export function testSystem(node: string) {
  let reading = atEase;
  const system: System = {
    node,
    platform: { runtime: "test", os: "test", cores: 2 },
    startedAt: new Date(),
    read: async () => reading,
    readRoom: async () => reading,
    usage: () => ({ cpuSeconds: 1, memory: { resident: reading.memory.resident, heapUsed: 0, heapTotal: 0, heapLimit: 0 } }),
  };
  return Object.assign(system, {
    /** Of the machine's memory. */
    useMemory(share: number) {
      reading = { ...reading, memory: { ...reading.memory, machineUsed: share * (reading.memory.machineTotal ?? 0) } };
    },
    /** Of all of the machine's processors. */
    useCpu(share: number) {
      reading = { ...reading, cpu: { ...reading.cpu, machine: share } };
    },
  });
}

/** A service beside us that a test can take away. */
export function testDependency(name: Dependency["name"]) {
  const dependency = {
    name,
    isNeeded: name === "database",
    isAway: false,
    async ping() {
      if (dependency.isAway) throw new Error(`${name} is away`);
    },
  };
  return dependency satisfies Dependency;
}

/** Keeps the alerts instead of sending them. */
export function collectingChannel(name: AlertChannel["name"] = "webhook") {
  const notices: AlertNotice[] = [];
  const channel: AlertChannel = {
    name,
    async send(notice) {
      notices.push(notice);
    },
  };
  return Object.assign(channel, { notices });
}
