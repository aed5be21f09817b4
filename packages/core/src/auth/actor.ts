import type { Plan } from "@parley/contract";
import type { Budget } from "../budgets/budgets.ts";

/** Who is calling. */
export interface Actor {
  readonly userId: string;
  /** What the call is bound to: the session's id, or the key's. */
  readonly sessionId: string;
  readonly permissions: readonly string[];
  readonly plan: Plan;
  /** One's own; null is the plan's. */
  readonly budget: Budget;
  readonly via: "session" | "key";
  /** What a key may be used for; null where that is not limited. */
  readonly scopes: readonly string[] | null;
}

/** Where a call comes from. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string | null;
  /** It was made on this very machine, and by no proxy. */
  readonly isLocal: boolean;
}

/** What the audit log keeps of it. */
export type Caller = Pick<Origin, "address">;
