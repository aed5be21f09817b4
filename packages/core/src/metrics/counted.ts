import type { EndpointCounts } from "./buckets.ts";
import { faults } from "./faults.ts";
import { countOf, type Distribution, quantile } from "./instruments.ts";
import type { Meters } from "./meters.ts";
import { percent, type Values } from "./readings.ts";

/** What happened since the last time it was asked: the calls since then, and the rest out of totals that only grow. */
export function createCounted(meters: Meters) {
  let before = totalsOf(meters);

  return function counted(calls: readonly EndpointCounts[]): Values {
    const now = totalsOf(meters);
    const since = (name: keyof typeof now) => now[name] - before[name];
    const values: Values = {
      ...valuesOf(calls, meters.calls.bounds),
      db_statements: since("statements"),
      runs_ended: since("runs"),
      runs_failed: since("failedRuns"),
      model_failures: since("troubles"),
      first_tokens: since("firstTokens"),
      ...mean("first_token", since("firstTokenSeconds") * 1_000, since("firstTokens")),
      tokens_read: since("tokensRead"),
      tokens_written: since("tokensWritten"),
      answer_time: since("answerSeconds"),
      ...mean("tokens_per_second", since("tokensWritten"), since("answerSeconds")),
      cost: since("cost"),
      messages: since("messages"),
      failed_sign_ins: since("failedSignIns"),
      cache_reads: since("cacheReads"),
      ...percent("cache_hits", since("cacheHits"), since("cacheReads")),
    };
    before = now;
    return values;
  };
}

function valuesOf(calls: readonly EndpointCounts[], bounds: readonly number[]): Values {
  const counts = Array.from({ length: bounds.length + 1 }, (_, bucket) => sumOf(calls, (call) => call.counts[bucket] ?? 0));
  const most = Math.max(0, ...calls.map(({ mostSeconds }) => mostSeconds));
  const p95 = quantile({ counts, most }, bounds, 0.95);
  const made = countOf(counts);
  const errors = calls.flatMap((call) => Object.entries(call.errors));
  return {
    api_calls: made,
    api_errors: sumOf(errors, ([, count]) => count),
    ...percent(
      "error_rate",
      sumOf(errors, ([reason, count]) => (faults.has(reason) ? count : 0)),
      made,
    ),
    ...mean("api_response_time", sumOf(calls, ({ totalSeconds }) => totalSeconds) * 1_000, made),
    ...(p95 !== null && { api_response_p95: p95 * 1_000 }),
  };
}

function totalsOf({ messages, failedSignIns, statements, runs, attempts, firstTokens, answers, tokens, cost, cache }: Meters) {
  return {
    messages: sumOf(messages.cells(), amountOf),
    failedSignIns: sumOf(failedSignIns.cells(), amountOf),
    statements: sumOf(statements.cells(), howMany),
    runs: sumOf(runs.cells(), amountOf),
    failedRuns: sumOf(runs.cells(), ({ labels, value }) => (labels[0] === "failed" ? value : 0)),
    troubles: sumOf(attempts.cells(), ({ labels, value }) => (labels[3] === "" ? 0 : value)),
    firstTokens: sumOf(firstTokens.cells(), howMany),
    firstTokenSeconds: sumOf(firstTokens.cells(), secondsOf),
    tokensRead: sumOf(tokens.cells(), ({ labels, value }) => (labels[2] === "output" ? 0 : value)),
    tokensWritten: sumOf(tokens.cells(), ({ labels, value }) => (labels[2] === "output" ? value : 0)),
    answerSeconds: sumOf(answers.cells(), secondsOf),
    cost: sumOf(cost.cells(), amountOf),
    cacheReads: sumOf(cache.cells(), amountOf),
    cacheHits: sumOf(cache.cells(), ({ labels, value }) => (labels[1] === "miss" ? 0 : value)),
  };
}

const amountOf = ({ value }: { value: number }) => value;
const secondsOf = ({ sum }: Distribution) => sum;
const howMany = ({ counts }: Distribution) => countOf(counts);

function sumOf<Item>(items: Iterable<Item>, amount: (item: Item) => number): number {
  let sum = 0;
  for (const item of items) sum += amount(item);
  return sum;
}

function mean(name: "api_response_time" | "first_token" | "tokens_per_second", sum: number, count: number): Values {
  return count === 0 ? {} : { [name]: sum / count };
}
