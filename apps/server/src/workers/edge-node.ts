import { createServices, type Services } from "@parley/core";
import { within } from "@parley/platform/shared";
import {
  named,
  objectCache,
  objectEventLog,
  objectRateLimiter,
  openWorkerDatabase,
  type WorkerBackground,
  workerBackground,
} from "@parley/platform/workers";
import { alertChannels } from "../alert-channels.ts";
import { openMailer } from "../mailer.ts";
import type { Bindings } from "./bindings.ts";
import { remoteTurns, type Turns } from "./remote-turns.ts";
import type { Setup } from "./setup.ts";

/** Put in by `scripts/edge/bundle.ts`: a worker has no folder to read them from. */
declare const migrations: string;

/** Of six that may be open at once; more would only wait for one another. */
const connections = 3;
const vendorsMs = 2_000;

/** The domain for one request, or for the life of one object. */
export interface EdgeNode {
  services: Services;
  /** What `services.turns` asks another object for. */
  ownTurns: Turns;
  background: WorkerBackground;
  /** What vendors have is known, unless one of them takes too long to say so. */
  ready(): Promise<void>;
  /** Events that were appended have arrived. */
  delivered(): Promise<void>;
  /** Waits for what is under way, then lets go of everything. */
  close(): Promise<void>;
}

export function openEdgeNode(bindings: Bindings, setup: Setup, hold: (work: Promise<void>) => void): EdgeNode {
  const { config, log, clock, ids, passwords, providers, scopes, system, settings, remembered } = setup;
  const database = openWorkerDatabase(bindings.HYPERDRIVE.connectionString, { connections, migrations: migrations.split(" ") });
  const background = workerBackground(log, hold);
  const eventLog = objectEventLog({ stub: (topic) => named(bindings.TOPICS, topic), log, hold });
  const mailer = openMailer(config, log);
  const services = createServices(
    {
      database: database.database,
      eventLog,
      providers: [...providers],
      passwords,
      mailer,
      rateLimiter: objectRateLimiter({ stub: (name) => named(bindings.LIMITS, name), log }),
      cache: objectCache(() => named(bindings.CACHE, "cache"), remembered),
      background,
      clock,
      ids,
      log,
      scopes,
      system,
      dependencies: [{ name: "database", isNeeded: true, ping: database.ping, isMigrated: database.isMigrated }],
      channels: alertChannels(config, { mailer, node: system.node, clock }),
      tracer: null,
    },
    settings,
  );
  return {
    services: { ...services, turns: remoteTurns(bindings) },
    ownTurns: services.turns,
    background,
    ready: () => within(vendorsMs, services.models.refreshed()),
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
