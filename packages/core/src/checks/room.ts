import type { ProviderState } from "@parley/contract";
import type { SystemReading } from "../ports.ts";
import type { Check } from "./report.ts";

/** Percent. */
const mostHeap = 90;
const mostDisk = 90;

export function memoryCheck({ heapUsed, heapLimit, resident }: SystemReading["memory"], ms: number): Check {
  if (resident === null) return { status: "ok", ms, detail: "not known here" };
  const megabytes = `${Math.round(resident / 1_024 / 1_024)} MB in all`;
  if (heapUsed === null || !heapLimit) return { status: "ok", ms, detail: megabytes };
  const used = (heapUsed / heapLimit) * 100;
  return { status: used > mostHeap ? "degraded" : "ok", ms, detail: `heap at ${used.toFixed(0)} %, ${megabytes}` };
}

export function diskCheck(disk: SystemReading["disk"], ms: number): Check {
  if (!disk || disk.total === 0) return { status: "ok", ms, detail: "not known here" };
  const used = (1 - disk.free / disk.total) * 100;
  return { status: used > mostDisk ? "degraded" : "ok", ms, detail: `${used.toFixed(0)} % used` };
}

/** Nobody is asked for it: what calls have found out lately. */
export function providersCheck(configured: readonly Pick<ProviderState, "name" | "healthy">[]): Check {
  const resting = configured.filter(({ healthy }) => !healthy).map(({ name }) => name);
  if (resting.length > 0) return { status: "degraded", ms: 0, detail: `cannot be asked now: ${resting.join(", ")}` };
  return { status: "ok", ms: 0, detail: configured.map(({ name }) => name).join(", ") };
}
