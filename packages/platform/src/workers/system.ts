import type { System, SystemReading } from "@parley/core/ports";

const memory = { resident: null, heapUsed: null, heapLimit: null, machineUsed: null, machineTotal: null };
const reading: SystemReading = {
  memory,
  cpu: { process: null, machine: null },
  loadAverage: null,
  delayMs: null,
  disk: null,
};

/** The runtime tells nothing of its machines. */
export function workerSystem(node: string): System {
  return {
    node,
    platform: { runtime: "workerd", os: "Cloudflare", cores: 1 },
    startedAt: new Date(),
    read: async () => reading,
    readRoom: async () => ({ memory, disk: null }),
    usage: () => ({ cpuSeconds: null, memory: { resident: null, heapUsed: null, heapLimit: null, heapTotal: null } }),
  };
}
