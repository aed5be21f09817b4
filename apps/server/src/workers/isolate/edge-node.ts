import { createServices, type Memory, type Services } from "@parley/core";
import { createMeters } from "@parley/core/metrics";
import { within } from "@parley/platform/shared";
import {
  type ObjectEventLog,
  objectCache,
  objectEventLog,
  objectRateLimiter,
  openWorkerDatabase,
  type WorkerBackground,
  workerBackground,
} from "@parley/platform/workers";
import { named } from "@parley/platform/workers/runtime";
import { alertChannels } from "../../alert-channels.ts";
import { openMailer } from "../../mailer.ts";
import type { Bindings } from "../bindings.ts";
import { handOn } from "../objects/duties.ts";
import { type OwnTurns, ownTurns, remoteTurns } from "./remote-turns.ts";
import type { Setup } from "./setup.ts";

/** Put in by `scripts/edge/bundle.ts`: a worker has no folder to read them from. */
declare const migrations: string;
const migrationHashes = migrations.split(" ");

/** Of six that may be open at once; more would only wait for one another. */
const connections = 3;
const vendorsMs = 2_000;
const handOnMs = 5_000;

/** The domain, with all that holds connections: for one request, or for the life of one object. */
export interface EdgeNode {
  services: Services;
  /** What `services.turns` asks another object for. */
  ownTurns: OwnTurns;
  /** What readings tell of: it is counted elsewhere, and put in there. */
  read: Memory["read"];
  background: WorkerBackground;
  /** What vendors have is known, unless one of them takes too long to say so. */
  ready(): Promise<void>;
  /** Events that were appended have arrived. */
  delivered(): Promise<void>;
  places: ObjectEventLog["places"];
  /** Waits for what is under way, then lets go of everything. */
  close(): Promise<void>;
}

export interface EdgeRuntime {
  /** Told of work that has to be done before the runtime lets go. */
  hold(work: Promise<void>): void;
  /** From when on a new reader hears what passes; without it, from now. */
  since?(): number;
}

export function openEdgeNode(bindings: Bindings, setup: Setup, { hold, since }: EdgeRuntime): EdgeNode {
  const { config, log, clock, ids, passwords, providers, scopes, system, tracer, settings, memory, cacheMemory } = setup;
  const database = openWorkerDatabase(bindings.HYPERDRIVE.connectionString, { connections, migrations: migrationHashes });
  const background = workerBackground(log, hold);
  const eventLog = objectEventLog({ ...(since && { since }), stub: (topic) => named(bindings.TOPICS, topic), log, hold });
  const mailer = openMailer(config, log);
  const read = createMeters();
  const services = createServices(
    {
      database: database.database,
      eventLog,
      providers: [...providers],
      passwords,
      mailer,
      rateLimiter: objectRateLimiter({ stub: (name) => named(bindings.LIMITS, name), log }),
      cache: objectCache(() => named(bindings.CACHE, "cache"), cacheMemory),
      background,
      clock,
      ids,
      log,
      scopes,
      system,
      dependencies: [{ name: "database", isNeeded: true, ping: database.ping, isMigrated: database.isMigrated }],
      channels: alertChannels(config, { mailer, node: system.node, clock }),
      tracer,
    },
    settings,
    { ...memory, read },
  );
  background.every(handOn, handOnMs, () => setup.handingOn.now(bindings));
  return {
    services: { ...services, turns: remoteTurns(bindings, scopes) },
    ownTurns: ownTurns(services.turns),
    read,
    background,
    ready: () => within(vendorsMs, services.models.refreshed()),
    places: () => eventLog.places(),
    delivered: () => eventLog.settled(),
    async close() {
      background.stop();
      await background.settled();
      await eventLog.settled();
      eventLog.close();
      await database.close();
    },
  };
}

/** For the life of an object. What it has counted and traced goes on at its end. */
export function openObjectNode(bindings: Bindings, setup: Setup, runtime: EdgeRuntime): EdgeNode {
  const node = openEdgeNode(bindings, setup, runtime);
  return {
    ...node,
    async close() {
      await node.close();
      await setup.handingOn.now(bindings);
    },
  };
}
