import type { Plan } from "@parley/contract";

/** Who is calling. */
export interface Actor {
  readonly userId: string;
  readonly sessionId: string;
  readonly permissions: readonly string[];
  readonly plan: Plan;
}
