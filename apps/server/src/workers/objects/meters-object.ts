import { DurableObject } from "cloudflare:workers";
import { exposed } from "@parley/api/exposition";
import type { CoolDowns } from "@parley/core";
import type { Counted } from "@parley/core/metrics";
import type { ObjectState } from "@parley/platform/workers/runtime";
import type { Bindings } from "../bindings.ts";
import { addCoolDowns } from "./cool-downs.ts";
import { keptMeters } from "./kept-meters.ts";
import { type Open, openIn, type Report } from "./reports.ts";

export interface MetersMethods {
  /** Answers with the keys that rest, as far as anybody knows. */
  add(report: Report): CoolDowns;
  /** For the readings: what was counted everywhere since they were taken before, and what is open. */
  takeUnread(): { counted: Counted; open: Open };
  /** What readings have found out, for the page, for so long. */
  show(gauges: string, milliseconds: number): void;
  page(): string;
}

/** A place that has something open tells of it every half minute: one that is silent is gone. */
const goneMs = 75_000;

/** Adds up what all isolates have counted. */
export class MetersObject extends DurableObject<Bindings> implements MetersMethods {
  readonly #counted: ReturnType<typeof keptMeters>;
  readonly #unread: ReturnType<typeof keptMeters>;
  readonly #coolDowns: CoolDowns = new Map();

  constructor(ctx: ObjectState, env: Bindings) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#counted = keptMeters(ctx.storage, "counted");
    this.#unread = keptMeters(ctx.storage, "unread");
    sql.exec("create table if not exists places (place text primary key, open text not null, at integer not null)");
    sql.exec("create table if not exists shown (one integer primary key, gauges text not null, until integer not null)");
  }

  add({ isolate, counted, open, coolDowns }: Report): CoolDowns {
    this.#counted.add(counted);
    this.#unread.add(counted);
    const { sql } = this.ctx.storage;
    sql.exec("insert or replace into places (place, open, at) values (?, ?, ?)", isolate, JSON.stringify(open), Date.now());
    addCoolDowns(this.#coolDowns, coolDowns);
    return this.#coolDowns;
  }

  takeUnread(): { counted: Counted; open: Open } {
    const { sql } = this.ctx.storage;
    sql.exec("delete from places where at < ?", Date.now() - goneMs);
    const places = sql.exec<{ open: string }>("select open from places").toArray();
    return { counted: this.#unread.take(), open: openIn(places.map(({ open }) => JSON.parse(open))) };
  }

  show(gauges: string, milliseconds: number): void {
    const until = Date.now() + milliseconds;
    this.ctx.storage.sql.exec("insert or replace into shown (one, gauges, until) values (1, ?, ?)", gauges, until);
  }

  page(): string {
    const [shown] = this.ctx.storage.sql
      .exec<{ gauges: string }>("select gauges from shown where until > ?", Date.now())
      .toArray();
    return exposed(this.#counted.all) + (shown?.gauges ?? "");
  }
}
