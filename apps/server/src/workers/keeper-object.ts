/// <reference path="../../../../packages/platform/src/workers/cloudflare.d.ts" />

import { DurableObject } from "cloudflare:workers";
import type { ObjectState } from "@parley/platform/workers";
import type { Bindings } from "./bindings.ts";
import { notTheKeepers } from "./duties.ts";
import { type EdgeNode, openEdgeNode } from "./edge-node.ts";
import { setupOf } from "./setup.ts";

export interface KeeperMethods {
  wake(): Promise<void>;
}

const roundMs = 30_000;

/** Does from time to time what a process does on timers: once for all. */
export class KeeperObject extends DurableObject<Bindings> implements KeeperMethods {
  constructor(ctx: ObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists done (name text primary key, at integer not null)");
  }

  async wake(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    await this.ctx.storage.setAlarm(now + roundMs);
    const node = openEdgeNode(this.env, await setupOf(this.env), { hold: (work) => this.ctx.waitUntil(work) });
    try {
      await this.#tellSetupCode(node);
      await node.background.performOthers(notTheKeepers, (name, milliseconds) => this.#isDue(name, now - milliseconds));
    } finally {
      await node.close();
    }
  }

  /** While there is no account, somebody has to know it. */
  async #tellSetupCode({ services }: EdgeNode): Promise<void> {
    if (!this.#isDue("tell the set-up code", 0)) return;
    const setupCode = await services.auth.setupCode();
    if (setupCode) services.log.info({ setupCode }, "the first account, made from another machine, needs the set-up code");
  }

  /** And from now on it has been done. */
  #isDue(name: string, before: number): boolean {
    const { sql } = this.ctx.storage;
    const [done] = sql.exec<{ at: number }>("select at from done where name = ?", name).toArray();
    if (done && done.at > before) return false;
    sql.exec("insert or replace into done (name, at) values (?, ?)", name, Date.now());
    return true;
  }
}
