import { inTime } from "../in-time.ts";
import type { Dependency, Ports, SystemReading } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { createCallCounts } from "./call-counts.ts";
import { createCounted } from "./counted.ts";
import { type DatabaseCounts, readDatabase } from "./database-queries.ts";
import type { Keeper } from "./keeper.ts";
import type { Meters } from "./meters.ts";
import { systemValues, type Values } from "./readings.ts";

/** Of one service beside us: how long it took to answer, null when it did not. */
export interface Answered extends Pick<Dependency, "name"> {
  ms: number | null;
}

/** All that was found out at once. Rules of alerts are about this. */
export interface Sample {
  at: Date;
  values: Values;
  dependencies: Answered[];
  system: SystemReading;
  /** Null while it is away. */
  database: DatabaseCounts | null;
}

const savePatienceMs = 5_000;

/** Statements would wait until it is back. */
export const isAway = ({ dependencies }: Pick<Sample, "dependencies">) =>
  dependencies.some(({ name, ms }) => name === "database" && ms === null);

type SamplerPorts = Pick<Ports, "database" | "background" | "clock" | "dependencies" | "system" | "log">;

export type Sampler = ReturnType<typeof createSampler>;

/** Every half minute: what the process, its machine and its services are like, and what has been counted since. */
export function createSampler(
  { database, background, clock, dependencies, system, log }: SamplerPorts,
  { metrics: { everyMs, version } }: Pick<Settings, "metrics">,
  { meters, keeper }: { meters: Meters; keeper: Keeper },
) {
  const counted = createCounted(meters);
  const callCounts = createCallCounts(meters);
  const listeners = new Set<(sample: Sample) => Promise<void>>();
  const sources = new Set<() => Values>();
  let latest: Sample | null = null;
  let isSaving = false;
  const details = { version, ...system.platform, startedAt: system.startedAt.toISOString() };

  async function ask({ name, ping }: Dependency): Promise<Answered> {
    const asked = await inTime(ping);
    return { name, ms: "answer" in asked ? asked.ms : null };
  }

  async function readCounts(at: Date): Promise<DatabaseCounts | null> {
    const read = await inTime(() => readDatabase(database, at));
    return "answer" in read ? read.answer : null;
  }

  const included = (): Values => Object.assign({}, ...Array.from(sources, (source) => source()));

  async function take() {
    const at = clock.now();
    const [reading, answered] = await Promise.all([system.read(), Promise.all(dependencies.map(ask))]);
    const counts = isAway({ dependencies: answered }) ? null : await readCounts(at);
    const times = Object.fromEntries(
      answered.flatMap(({ name, ms }) => (ms === null || name === "eventLog" ? [] : [[responseTime[name], ms]])),
    );
    const calls = callCounts();
    const values: Values = {
      ...systemValues(reading),
      ...counted(calls),
      ...times,
      ...(counts && { active_users: counts.activeUsers, active_sessions: counts.activeSessions }),
      ...included(),
    };
    const sample: Sample = { at, values, dependencies: answered, system: reading, database: counts };
    return { sample, calls };
  }

  async function takeReadings() {
    const taken = await read();
    for (const listener of listeners) await listener(taken);
    await keep(taken);
  }

  async function read(): Promise<Sample> {
    const { sample: taken, calls } = await take();
    latest = taken;
    keeper.add(taken.at.getTime(), taken.values, details, calls);
    meters.calls.forgetMost();
    return taken;
  }

  async function keep(taken: Sample) {
    if (!isAway(taken) && !isSaving) await inTime(save, savePatienceMs);
  }

  /** A database that goes away in the middle keeps it waiting: the next readings are taken all the same. */
  async function save() {
    isSaving = true;
    try {
      await keeper.save();
    } catch (error) {
      log.warn({ err: error }, "readings could not be saved: they are kept until they can");
    } finally {
      isSaving = false;
    }
  }

  background.every("take readings", everyMs, takeReadings, { atOnce: true });

  return {
    /** Reads more, each time. */
    include(source: () => Values) {
      sources.add(source);
    },
    /** Told of each reading, before it is saved. */
    onSample(listener: (sample: Sample) => Promise<void>) {
      listeners.add(listener);
    },
    latest: () => latest,
    /** At the end of the process: what was counted since the last reading. Nobody is alarmed by it. */
    async finish() {
      if (latest) await keep(await read());
    },
    /** What was included, as it is now. */
    included,
  };
}

const responseTime = { database: "db_response_time", redis: "redis_response_time" } as const satisfies Partial<
  Record<Dependency["name"], keyof Values>
>;
