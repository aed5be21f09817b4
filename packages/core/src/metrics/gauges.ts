import type { Providers } from "../models/providers.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import type { Instruments } from "./instruments.ts";
import type { Meters } from "./meters.ts";
import type { Sampler } from "./sampler.ts";

interface Parts {
  gauges: Instruments;
  meters: Meters;
  sampler: Sampler;
  providers: Providers;
}

type Cell = readonly [value: number | null | undefined, ...labels: string[]];

/** What Prometheus reads beside the meters: how it is now, or was at the last reading. What is not known has no line. */
export function addGauges(
  { system }: Pick<Ports, "system">,
  { metrics: { version } }: Pick<Settings, "metrics">,
  { gauges: instruments, meters, sampler, providers }: Parts,
) {
  const known = (cells: Iterable<Cell>) =>
    Array.from(cells).flatMap(([value, ...labels]) => (value === null || value === undefined ? [] : [{ labels, value }]));
  const gauge = (name: string, help: string, read: () => Cell[0]) => instruments.gauge({ name, help }, () => known([[read()]]));
  const gauges = (name: string, help: string, labels: string[], read: () => Iterable<Cell>) =>
    instruments.gauge({ name, help, labels }, () => known(read()));
  const seconds = (milliseconds: number | null | undefined) => (typeof milliseconds === "number" ? milliseconds / 1_000 : null);
  const latest = () => sampler.latest();
  const { usage, platform, node, startedAt } = system;

  gauges("parley_build_info", "Always 1", ["version", "runtime", "node"], () => [[1, version, platform.runtime, node]]);
  gauge("process_start_time_seconds", "When the process began, since 1970", () => startedAt.getTime() / 1_000);
  gauge("process_resident_memory_bytes", "Memory of the process", () => usage().memory.resident);
  instruments.total({ name: "process_cpu_seconds_total", help: "Time on processors" }, () => known([[usage().cpuSeconds]]));
  gauge("nodejs_heap_size_used_bytes", "Of the heap, in use", () => usage().memory.heapUsed);
  gauge("nodejs_heap_size_total_bytes", "The heap", () => usage().memory.heapTotal);
  gauge("nodejs_heap_size_limit_bytes", "The heap may grow to this", () => usage().memory.heapLimit);
  for (const share of ["p50", "p99", "max"] as const) {
    const help = `How late the event loop was between the last two readings (${share})`;
    gauge(`nodejs_eventloop_lag_${share}_seconds`, help, () => seconds(latest()?.system.delayMs?.[share]));
  }

  gauge("parley_machine_memory_used_bytes", "Of the machine or container", () => latest()?.system.memory.machineUsed);
  gauge("parley_machine_memory_bytes", "What the machine or container has", () => latest()?.system.memory.machineTotal);
  gauge("parley_machine_cpu_ratio", "Share of all processors in use", () => latest()?.system.cpu.machine);
  gauge("parley_machine_load_average", "Over a minute", () => latest()?.system.loadAverage);
  gauge("parley_disk_free_bytes", "Where the data is kept", () => latest()?.system.disk?.free);
  gauge("parley_disk_size_bytes", "Where the data is kept", () => latest()?.system.disk?.total);

  gauge("parley_sockets", "WebSockets that are open", () => sampler.included().sockets);
  gauge("parley_subscriptions", "Subscriptions over sockets that are open", () => sampler.included().subscriptions);
  gauge("parley_runs_active", "Answers that this node writes", () => sampler.included().runs_active);

  const dependencies = () => latest()?.dependencies ?? [];
  gauges("parley_dependency_up", "Whether it answered at the last reading", ["dependency"], () =>
    dependencies().map(({ name, ms }) => [ms === null ? 0 : 1, name]),
  );
  gauges("parley_dependency_response_seconds", "How long it took to answer at the last reading", ["dependency"], () =>
    dependencies().map(({ name, ms }) => [seconds(ms), name]),
  );
  const statements = "Statements under way, with those that wait for a connection";
  gauge("parley_database_statements_active", statements, () => meters.underWay.statements);
  gauge("parley_database_size_bytes", "The whole database", () => latest()?.database?.bytes);
  gauges("parley_database_rows", "By the database's own estimate", ["table"], () =>
    Object.entries(latest()?.database?.rows ?? {}).map(([table, rows]) => [rows, table]),
  );
  gauge("parley_active_users", "People who were here within a quarter of an hour", () => latest()?.database?.activeUsers);
  gauge("parley_active_sessions", "Their sessions", () => latest()?.database?.activeSessions);

  gauges("parley_provider_keys", "Keys of a provider; one that cools down is left alone", ["provider", "state"], () =>
    providers
      .states()
      .flatMap(({ name, keys }) =>
        (["ready", "cooling"] as const).map((state): Cell => [keys.filter((key) => key.state === state).length, name, state]),
      ),
  );
  gauges("parley_provider_up", "Whether it can be asked: a key is left, and a model", ["provider"], () =>
    providers.configured().map(({ name, healthy }) => [healthy ? 1 : 0, name]),
  );
  gauges("parley_provider_paused_models", "Models that are left alone after failures", ["provider"], () =>
    providers.states().map(({ name, pausedModels }) => [pausedModels.length, name]),
  );
}
