import type { Attempt } from "@parley/contract/events";
import { createInstruments } from "./instruments.ts";

/** Seconds. */
export const callBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const answerBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900];
const databaseBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export type Meters = ReturnType<typeof createMeters>;

/** Everything that is counted while it happens, on one screen. */
export function createMeters() {
  const instruments = createInstruments();
  const { counter, histogram } = instruments;
  const model = ["provider", "model"];

  const meters = {
    calls: histogram({
      name: "parley_call_duration_seconds",
      help: "Calls of procedures, over HTTP and sockets; a subscription until it has begun",
      labels: ["procedure"],
      bounds: callBounds,
    }),
    callErrors: counter({
      name: "parley_call_errors_total",
      help: "Calls that were answered with an error",
      labels: ["procedure", "reason"],
      // All of them are ours, and callers can bring about most: none may hide a fault among the others.
      mostCells: 5_000,
    }),
    messages: counter({ name: "parley_messages_total", help: "Messages of people that were accepted" }),
    failedSignIns: counter({ name: "parley_failed_sign_ins_total", help: "Sign-ins with a name or a password that is wrong" }),
    requests: counter({ name: "parley_http_requests_total", help: "HTTP requests, of any kind", labels: ["status"] }),
    statements: histogram({
      name: "parley_database_duration_seconds",
      help: "Statements, with their wait for a connection",
      bounds: databaseBounds,
    }),
    statementErrors: counter({ name: "parley_database_errors_total", help: "Statements that failed" }),
    runs: counter({ name: "parley_runs_total", help: "Answers that have ended", labels: ["status"] }),
    attempts: counter({
      name: "parley_model_calls_total",
      help: "Calls to models; trouble is empty where there was none",
      labels: [...model, "outcome", "trouble"],
    }),
    firstTokens: histogram({
      name: "parley_model_first_token_seconds",
      help: "From the call to the first token",
      labels: model,
      bounds: answerBounds,
    }),
    answers: histogram({
      name: "parley_model_call_duration_seconds",
      help: "From the call to its end",
      labels: model,
      bounds: answerBounds,
    }),
    tokens: counter({ name: "parley_model_tokens_total", help: "Tokens that were read and written", labels: [...model, "kind"] }),
    cost: counter({
      name: "parley_model_cost_total",
      help: "Spent, in the currency of the prices; calls whose price is not known are not in it",
      labels: model,
    }),
    cache: counter({ name: "parley_cache_reads_total", help: "Looks into a cache", labels: ["cache", "outcome"] }),
    alerts: counter({ name: "parley_alerts_total", help: "Alerts that this node has opened", labels: ["rule", "severity"] }),
    deliveries: counter({
      name: "parley_alert_deliveries_total",
      help: "Alerts that were sent out",
      labels: ["channel", "outcome"],
    }),
  };

  return {
    ...meters,
    instruments,
    underWay: { statements: 0 },

    /** One call to a model, as its receipt has it. */
    attempt({ provider, model, outcome, trouble, tokens, costMicros, firstTokenMs, durationMs }: Attempt) {
      meters.attempts.add(1, provider, model, outcome, trouble ?? "");
      meters.answers.observe(durationMs / 1_000, provider, model);
      if (firstTokenMs !== null) meters.firstTokens.observe(firstTokenMs / 1_000, provider, model);
      for (const [kind, count] of Object.entries(tokens)) meters.tokens.add(count, provider, model, kind);
      if (costMicros !== null) meters.cost.add(costMicros / 1_000_000, provider, model);
    },
  };
}
