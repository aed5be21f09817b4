import { DurableObject } from "cloudflare:workers";
import { exposed } from "@parley/api/exposition";
import type { ObjectState } from "@parley/platform/workers/runtime";
import { type Bindings, metersOf } from "../bindings.ts";
import type { EdgeNode } from "../isolate/edge-node.ts";
import type { Setup } from "../isolate/setup.ts";
import { isolateOf } from "../isolate.ts";
import { notTheKeepers, takeReadings } from "./duties.ts";

export interface KeeperMethods {
  wake(): Promise<void>;
}

const roundMs = 30_000;
/** In readings: without new ones, nobody knows how it is. */
const shownFor = 3;
/** What there is no process to tell of, and what `MetersObject` adds up. */
const processesOwn = /^(process|nodejs)_|^parley_(trace_spans_total|database_statements_active)$/;

/** Does from time to time what a process does on timers: once for all. */
export class KeeperObject extends DurableObject<Bindings> implements KeeperMethods {
  constructor(ctx: ObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists done (name text primary key, at integer not null)");
    ctx.storage.sql.exec("create table if not exists judged (one integer primary key, rounds integer, last_at integer)");
  }

  async wake(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    const { setup, openNode } = await isolateOf(this.env);
    const { METRICS_INTERVAL: everyMs } = setup.config;
    await this.ctx.storage.setAlarm(now + Math.min(roundMs, everyMs));
    const node = openNode({ hold: (work) => this.ctx.waitUntil(work) });
    try {
      await this.#tellSetupCode(node, now);
      // Whatever becomes of it, the rest is done.
      if (this.#isDue(takeReadings, { everyMs, now })) node.background.run(takeReadings, () => this.#takeReadings(node, setup));
      await node.background.performOthers(notTheKeepers, (name, everyMs) => this.#isDue(name, { everyMs, now }));
    } finally {
      await node.close();
    }
  }

  /** While there is no account, somebody has to know it. */
  async #tellSetupCode({ services }: EdgeNode, now: number): Promise<void> {
    if (!this.#isDue("tell the set-up code", { everyMs: Number.POSITIVE_INFINITY, now })) return;
    const setupCode = await services.auth.setupCode();
    if (setupCode) services.log.info({ setupCode }, "the first account, made from another machine, needs the set-up code");
  }

  /** Of everything that was counted, wherever that was. */
  async #takeReadings({ services, read, background }: EdgeNode, { memory: { judged }, config }: Setup): Promise<void> {
    const meters = metersOf(this.env);
    const { counted, open } = await meters.takeUnread();
    read.instruments.add(counted);
    services.sampler.include(() => open);
    const { sql } = this.ctx.storage;
    // Each round may be another instance's: it goes on as the one before it.
    Object.assign(judged, sql.exec<typeof judged>("select rounds, last_at as lastAt from judged").toArray()[0]);
    await background.perform(takeReadings);
    sql.exec("insert or replace into judged (one, rounds, last_at) values (1, ?, ?)", judged.rounds, judged.lastAt);
    const known = services.gauges.all.filter(({ name, cells }) => !processesOwn.test(name) && [...cells()].length > 0);
    await meters.show(exposed(known), shownFor * config.METRICS_INTERVAL);
  }

  /** And with this round it has been done. */
  #isDue(name: string, { everyMs, now }: { everyMs: number; now: number }): boolean {
    const { sql } = this.ctx.storage;
    const [done] = sql.exec<{ at: number }>("select at from done where name = ?", name).toArray();
    if (done && done.at > now - everyMs) return false;
    sql.exec("insert or replace into done (name, at) values (?, ?)", name, now);
    return true;
  }
}
