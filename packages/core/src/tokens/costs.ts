import type { Prices } from "@parley/contract";
import type { Attempt, Receipt, TokenCounts } from "@parley/contract/events";

export const noTokens: Readonly<TokenCounts> = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

function countAll({ input, cacheRead, cacheWrite, output }: TokenCounts): number {
  return input + cacheRead + cacheWrite + output;
}

/** In whole micro-units. Null where something was spent at an unknown price. */
export function costOf(tokens: TokenCounts, prices: Prices | null): number | null {
  if (countAll(tokens) === 0) return 0;
  if (prices === null) return null;
  const { input, cacheRead, cacheWrite, output } = prices;
  const spent = tokens.input * input + tokens.cacheRead * cacheRead + tokens.cacheWrite * cacheWrite + tokens.output * output;
  const micros = Math.round(spent / 1_000_000);
  return Number.isSafeInteger(micros) ? micros : null;
}

/** A run that made no call that anybody counted, because its process died, has no cost that anybody knows. */
export function sumOf(attempts: readonly Attempt[]): Receipt["total"] {
  const tokens = { ...noTokens };
  let costMicros: number | null = 0;
  for (const attempt of attempts) {
    tokens.input += attempt.tokens.input;
    tokens.cacheRead += attempt.tokens.cacheRead;
    tokens.cacheWrite += attempt.tokens.cacheWrite;
    tokens.output += attempt.tokens.output;
    costMicros = costMicros === null || attempt.costMicros === null ? null : costMicros + attempt.costMicros;
  }
  return { tokens, costMicros: attempts.length === 0 ? null : costMicros };
}

export function receiptOf(runId: string, attempts: Attempt[]): Receipt {
  return { runId, attempts, total: sumOf(attempts) };
}

/** What a budget is charged: what has no price is counted in tokens alone. */
export function spentBy(attempts: readonly Attempt[]): { tokens: number; micros: number } {
  let tokens = 0;
  let micros = 0;
  for (const attempt of attempts) {
    tokens += countAll(attempt.tokens);
    micros += attempt.costMicros ?? 0;
  }
  return { tokens, micros };
}
