import type { CoolDowns } from "@parley/core";
import type { Counted } from "@parley/core/metrics";

/** How much is open. */
export type Open = Record<"sockets" | "subscriptions" | "runs_active", number>;

/** What an isolate tells from time to time. */
export interface Report {
  /** The isolate that tells. */
  isolate: string;
  /** Since it told before. */
  counted: Counted;
  open: Open;
  /** Keys that rest, as far as it knows. */
  coolDowns: CoolDowns;
}

export function openIn(parts: Iterable<Partial<Open>>): Open {
  const all: Open = { sockets: 0, subscriptions: 0, runs_active: 0 };
  for (const { sockets = 0, subscriptions = 0, runs_active = 0 } of parts) {
    all.sockets += sockets;
    all.subscriptions += subscriptions;
    all.runs_active += runs_active;
  }
  return all;
}
