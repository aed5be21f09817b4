import type { SystemReading } from "../ports.ts";

interface Definition {
  unit: Unit;
  /**
   * How several readings become one: `sum` for what was counted meanwhile, `mean` and `most` for how it was. The name of
   * another series is a mean, too, in which a reading weighs as much as was counted there.
   */
  merge: string;
}

/** How much of a value is worth keeping, in digits behind the point. */
const decimals = { percent: 2, bytes: 0, ms: 2, s: 2, count: 2, currency: 6, processes: 2, "tokens/s": 2 };

type Unit = keyof typeof decimals;

/** What is kept and drawn. Percent are from 0 to 100. */
export const series = {
  memory_usage: { unit: "percent", merge: "mean" },
  process_memory: { unit: "bytes", merge: "most" },
  heap_usage: { unit: "percent", merge: "most" },
  cpu_usage: { unit: "percent", merge: "mean" },
  process_cpu: { unit: "percent", merge: "mean" },
  load_average: { unit: "processes", merge: "mean" },
  event_loop_delay: { unit: "ms", merge: "most" },
  disk_usage: { unit: "percent", merge: "most" },
  db_response_time: { unit: "ms", merge: "mean" },
  db_statements: { unit: "count", merge: "sum" },
  redis_response_time: { unit: "ms", merge: "mean" },
  api_calls: { unit: "count", merge: "sum" },
  api_errors: { unit: "count", merge: "sum" },
  /** Calls that failed through no fault of the caller's. */
  error_rate: { unit: "percent", merge: "api_calls" },
  api_response_time: { unit: "ms", merge: "api_calls" },
  api_response_p95: { unit: "ms", merge: "most" },
  sockets: { unit: "count", merge: "mean" },
  subscriptions: { unit: "count", merge: "mean" },
  runs_active: { unit: "count", merge: "mean" },
  runs_ended: { unit: "count", merge: "sum" },
  runs_failed: { unit: "count", merge: "sum" },
  model_failures: { unit: "count", merge: "sum" },
  first_tokens: { unit: "count", merge: "sum" },
  first_token: { unit: "ms", merge: "first_tokens" },
  tokens_read: { unit: "count", merge: "sum" },
  tokens_written: { unit: "count", merge: "sum" },
  answer_time: { unit: "s", merge: "sum" },
  tokens_per_second: { unit: "tokens/s", merge: "answer_time" },
  cost: { unit: "currency", merge: "sum" },
  messages: { unit: "count", merge: "sum" },
  failed_sign_ins: { unit: "count", merge: "sum" },
  active_users: { unit: "count", merge: "mean" },
  active_sessions: { unit: "count", merge: "mean" },
  cache_reads: { unit: "count", merge: "sum" },
  cache_hits: { unit: "percent", merge: "cache_reads" },
} as const satisfies Record<string, Definition>;

export type SeriesName = keyof typeof series;
export type Values = Partial<Record<SeriesName, number>>;

export const entriesOf = (values: Values) => Object.entries(values) as [SeriesName, number][];

/** As it is kept. */
export function rounded(values: Values): Values {
  const short = ([name, value]: [SeriesName, number]) => [name, Number(value.toFixed(decimals[series[name].unit]))];
  return Object.fromEntries(entriesOf(values).map(short));
}

/** The process and its machine, in the words of the series. */
export function systemValues({ memory, cpu, loadAverage, delayMs, disk }: SystemReading): Values {
  return {
    ...(memory.resident !== null && { process_memory: memory.resident }),
    ...percent("memory_usage", memory.machineUsed, memory.machineTotal),
    ...percent("heap_usage", memory.heapUsed, memory.heapLimit),
    ...percent("cpu_usage", cpu.machine, 1),
    ...percent("process_cpu", cpu.process, 1),
    ...(loadAverage !== null && { load_average: loadAverage }),
    ...(delayMs && { event_loop_delay: delayMs.p99 }),
    ...(disk && percent("disk_usage", disk.total - disk.free, disk.total)),
  };
}

export function percent(name: SeriesName, part: number | null, whole: number | null): Values {
  return part === null || whole === null || whole === 0 ? {} : { [name]: (part / whole) * 100 };
}
