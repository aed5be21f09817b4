import type { Plan, Prices, Usage } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { findTaken, lockMonth, releaseHolds, setHold } from "./queries.ts";

/** A month's. Null is no limit. */
export interface Budget {
  tokens: number | null;
  micros: number | null;
}

export type PlanBudgets = Record<Plan, Budget>;

interface HoldRequest {
  runId: string;
  userId: string;
  budget: Budget;
  spent: { tokens: number; micros: number };
  inputTokens: number;
  maxTokens: number;
  prices: Prices | null;
}

/** Less than this is no answer. */
const shortestAnswer = 16;
const releaseMs = 10_000;
const waitForAnswersMs = 10_000;

export type Budgets = ReturnType<typeof createBudgets>;

/** What a person may spend in a month (UTC). It is set aside before a call and charged when the run ends. */
export function createBudgets(
  { database, background, clock }: Pick<Ports, "database" | "background" | "clock">,
  { budgets }: Pick<Settings, "budgets">,
) {
  background.every("release budget holds", releaseMs, () => releaseHolds(database));

  function nextMonth(): Date {
    const now = clock.now();
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  }

  function exceeded(): AppError {
    const resetsAt = nextMonth();
    const message = `This month's budget is used up: it begins anew on ${resetsAt.toISOString().slice(0, 10)}`;
    return new AppError("budget_exceeded", message, { retryAfterMs: resetsAt.getTime() - clock.now().getTime() });
  }

  /** Null for somebody whom nothing limits, so that nothing is asked of the database. */
  function budgetOf({ plan, budget }: Pick<Actor, "plan" | "budget">): Budget | null {
    const tokens = budget.tokens ?? budgets[plan].tokens;
    const micros = budget.micros ?? budgets[plan].micros;
    return tokens === null && micros === null ? null : { tokens, micros };
  }

  return {
    budgetOf,

    /** What a person sees of it. */
    async standing(actor: Actor): Promise<Usage["budget"]> {
      const limit = budgetOf(actor) ?? { tokens: null, micros: null };
      const { used, held } = await findTaken(database, actor.userId);
      return {
        tokens: { limit: limit.tokens, used: used.tokens + held.tokens },
        micros: { limit: limit.micros, used: used.micros + held.micros },
        resetsAt: nextMonth(),
      };
    },

    /** Refuses at the door whoever has nothing left. What a call may take is decided when it is made. */
    async checkLeft(actor: Actor): Promise<void> {
      const budget = budgetOf(actor);
      if (!budget) return;
      const { used, held } = await findTaken(database, actor.userId);
      const isOver = (taken: { tokens: number; micros: number }) =>
        (budget.tokens !== null && taken.tokens + shortestAnswer > budget.tokens) ||
        (budget.micros !== null && taken.micros >= budget.micros);
      if (isOver(used)) throw exceeded();
      if (!isOver({ tokens: used.tokens + held.tokens, micros: used.micros + held.micros })) return;
      const message = "What is left of this month's budget is set aside for answers under way: wait for them";
      throw new AppError("budget_exceeded", message, { retryAfterMs: waitForAnswersMs });
    },

    /** Sets aside the question and the longest answer that there is room for, and says how long that is. */
    async hold({ runId, userId, budget, ...request }: HoldRequest): Promise<number> {
      if (request.prices === null && budget.micros !== null) {
        throw new AppError("forbidden", "This model has no price, and your budget is in money: choose another model");
      }
      return database.transaction(async (transaction) => {
        const { month, heldTokens, heldMicros, usedTokens, usedMicros } = await lockMonth(transaction, { userId, runId });
        const room = {
          tokens: budget.tokens === null ? null : budget.tokens - usedTokens - heldTokens,
          micros: budget.micros === null ? null : budget.micros - usedMicros - heldMicros,
        };
        const granted = grant(room, request);
        if (!granted) throw exceeded();
        const { output, tokens, micros } = granted;
        await setHold(transaction, { runId, userId, month, heldTokens, heldMicros, tokens, micros });
        return output;
      });
    },
  };
}

/** The longest answer for which there is room, and what it comes to with its question and the calls before it. */
function grant(room: Budget, { spent, inputTokens, maxTokens, prices }: Omit<HoldRequest, "runId" | "userId" | "budget">) {
  const { input, cacheWrite, output: price } = prices ?? { input: 0, cacheWrite: 0, output: 0 };
  const askedTokens = spent.tokens + inputTokens;
  const askedMicros = spent.micros + Math.ceil((inputTokens * Math.max(input, cacheWrite)) / 1_000_000);
  const byTokens = room.tokens === null ? maxTokens : room.tokens - askedTokens;
  const free = room.micros === null ? 0 : room.micros - askedMicros;
  const byMoney = room.micros === null || (price === 0 && free >= 0) ? maxTokens : Math.floor((free * 1_000_000) / price);
  const output = Math.min(maxTokens, byTokens, byMoney);
  if (output < Math.min(shortestAnswer, maxTokens)) return null;
  return { output, tokens: askedTokens + output, micros: askedMicros + Math.ceil((output * price) / 1_000_000) };
}
