import { DurableObject } from "cloudflare:workers";
import type { Limit, LimitState } from "@parley/core/ports";
import type { ObjectState } from "./runtime/types.ts";

export interface LimitMethods {
  consume(limit: Limit, points: number): LimitState;
  refund(limit: Limit, points: number): void;
  reset(): void;
}

interface Counted extends Record<string, number> {
  points: number;
  endsAt: number;
}

/** One count, of one bucket, key and limit: exact, because an object does one thing at a time. */
export class LimitObject extends DurableObject implements LimitMethods {
  constructor(ctx: ObjectState, env: unknown) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists counted (one integer primary key, points integer, ends_at integer)");
  }

  consume({ count, windowMs, blockMs }: Limit, points: number): LimitState {
    const now = Date.now();
    const known = this.#read(now);
    const counted = { points: (known?.points ?? 0) + points, endsAt: known?.endsAt ?? now + windowMs };
    const allowed = counted.points <= count;
    const wasAllowed = (known?.points ?? 0) <= count;
    if (!allowed && wasAllowed && blockMs) counted.endsAt = now + blockMs;
    if (points > 0) this.#write(counted);
    return { allowed, limit: count, remaining: Math.max(0, count - counted.points), resetMs: counted.endsAt - now };
  }

  refund(_limit: Limit, points: number): void {
    const known = this.#read(Date.now());
    if (known) this.#write({ ...known, points: Math.max(0, known.points - points) });
  }

  reset(): void {
    this.ctx.storage.sql.exec("delete from counted");
  }

  override async alarm(): Promise<void> {
    const known = this.#read(Date.now());
    if (known) await this.ctx.storage.setAlarm(known.endsAt);
    else await this.ctx.storage.deleteAll();
  }

  #read(now: number): Counted | undefined {
    return this.ctx.storage.sql
      .exec<Counted>("select points, ends_at as endsAt from counted where ends_at > ?", now)
      .toArray()[0];
  }

  #write({ points, endsAt }: Counted): void {
    this.ctx.storage.sql.exec("insert or replace into counted (one, points, ends_at) values (1, ?, ?)", points, endsAt);
    this.ctx.waitUntil(this.ctx.storage.setAlarm(endsAt));
  }
}
