import { DurableObject } from "cloudflare:workers";
import type { ObjectState } from "./runtime/types.ts";

interface CacheEntry {
  value: string;
  endsAt: number;
}

export interface CacheMethods {
  get(key: string): CacheEntry | null;
  set(key: string, value: string, ttlMs: number): void;
  remove(key: string): void;
  claim(key: string, ttlMs: number): boolean;
}

const sweepMs = 60 * 60_000;

/** What all share for a while. */
export class CacheObject extends DurableObject implements CacheMethods {
  constructor(ctx: ObjectState, env: unknown) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists kept (key text primary key, value text not null, ends_at integer not null)");
  }

  get(key: string): CacheEntry | null {
    const found = this.ctx.storage.sql.exec<{ value: string; endsAt: number }>(
      "select value, ends_at as endsAt from kept where key = ? and ends_at > ?",
      key,
      Date.now(),
    );
    return found.toArray()[0] ?? null;
  }

  set(key: string, value: string, ttlMs: number): void {
    const endsAt = Date.now() + ttlMs;
    this.ctx.storage.sql.exec("insert or replace into kept (key, value, ends_at) values (?, ?, ?)", key, value, endsAt);
    this.ctx.waitUntil(this.#sweepLater());
  }

  remove(key: string): void {
    this.ctx.storage.sql.exec("delete from kept where key = ?", key);
  }

  claim(key: string, ttlMs: number): boolean {
    if (this.get(key) !== null) return false;
    this.set(key, "{}", ttlMs);
    return true;
  }

  override async alarm(): Promise<void> {
    this.ctx.storage.sql.exec("delete from kept where ends_at <= ?", Date.now());
    const [left] = this.ctx.storage.sql.exec<{ count: number }>("select count(*) as count from kept").toArray();
    if (left && left.count > 0) await this.#sweepLater();
  }

  async #sweepLater(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + sweepMs);
  }
}
