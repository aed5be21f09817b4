import { tenths } from "../in-time.ts";
import type { SeriesName } from "../metrics/readings.ts";

/** What a rule looks at: a series of this node, or something that is wrong (1) or not (0). */
export type AlertReading = SeriesName | "database_away" | "redis_away" | "provider_unhealthy";

export interface AlertRule {
  name: string;
  reading: AlertReading;
  /** More than this is too much. */
  over: number;
  unit: string;
  /** How long it has to be so. */
  forMs: number;
  severity: "warning" | "critical";
  /** Opened again so soon after it was resolved, nobody is told, unless it stays for as long. */
  quietMs: number;
  /** `{value}`, `{over}` and `{subject}` are put in. */
  text: string;
  /** A share of less than this says nothing. */
  atLeast?: { reading: SeriesName; count: number };
}

/** What an operator may change of a rule. */
export type AlertRuleChange = Partial<Pick<AlertRule, "over" | "forMs" | "severity" | "quietMs">> & { off?: boolean };

const second = 1_000;
const minute = 60 * second;
const usual = { severity: "warning", forMs: 0, quietMs: 10 * minute } as const;

export const usualRules: readonly AlertRule[] = [
  {
    ...usual,
    name: "database_away",
    reading: "database_away",
    over: 0,
    unit: "",
    severity: "critical",
    quietMs: minute,
    text: "The database does not answer",
  },
  {
    ...usual,
    name: "redis_away",
    reading: "redis_away",
    over: 0,
    unit: "",
    text: "Redis does not answer: each node counts limits for itself",
  },
  {
    ...usual,
    name: "provider_unhealthy",
    reading: "provider_unhealthy",
    over: 0,
    unit: "",
    text: "{subject} cannot be asked: all of its keys rest, or its models fail",
  },
  {
    ...usual,
    name: "error_rate",
    reading: "error_rate",
    over: 5,
    unit: "%",
    severity: "critical",
    atLeast: { reading: "api_calls", count: 20 },
    text: "{value} of calls fail on our side (over {over})",
  },
  {
    ...usual,
    name: "slow_responses",
    reading: "api_response_p95",
    over: 5_000,
    unit: "ms",
    text: "One call in twenty takes longer than {value} (over {over})",
  },
  {
    ...usual,
    name: "slow_database",
    reading: "db_response_time",
    over: 1_000,
    unit: "ms",
    text: "The database answers within {value} (over {over})",
  },
  {
    ...usual,
    name: "memory",
    reading: "memory_usage",
    over: 85,
    unit: "%",
    text: "Memory of {subject} is at {value} (over {over})",
  },
  {
    ...usual,
    name: "process_memory",
    reading: "process_memory",
    over: 500 * 1_024 * 1_024,
    unit: "bytes",
    text: "The process on {subject} has {value} of memory (over {over})",
  },
  {
    ...usual,
    name: "heap",
    reading: "heap_usage",
    over: 90,
    unit: "%",
    text: "The heap of {subject} is at {value} (over {over})",
  },
  {
    ...usual,
    name: "cpu",
    reading: "cpu_usage",
    over: 80,
    unit: "%",
    forMs: 30 * second,
    text: "The processors of {subject} are at {value} (over {over})",
  },
  {
    ...usual,
    name: "event_loop",
    reading: "event_loop_delay",
    over: 500,
    unit: "ms",
    text: "The event loop of {subject} is {value} late (over {over})",
  },
  {
    ...usual,
    name: "disk",
    reading: "disk_usage",
    over: 90,
    unit: "%",
    severity: "critical",
    text: "The disk of {subject} is at {value} (over {over})",
  },
  {
    ...usual,
    name: "failed_sign_ins",
    reading: "failed_sign_ins",
    over: 100,
    unit: "",
    text: "{value} sign-ins have failed on {subject} since the last reading",
  },
];

/** The shipped rules as an operator wants them. */
export function changedRules(changes: Readonly<Record<string, AlertRuleChange>>): AlertRule[] {
  return usualRules.flatMap((rule) => {
    const { off = false, ...change } = changes[rule.name] ?? {};
    return off ? [] : [{ ...rule, ...change }];
  });
}

export function textOf({ text, unit, over }: AlertRule, subject: string, value: number): string {
  const words = { value: written(value, unit), over: written(over, unit), subject };
  return text.replace(/\{(value|over|subject)\}/g, (_, name: keyof typeof words) => words[name]);
}

export function written(amount: number, unit: string): string {
  if (unit === "bytes") return `${Math.round(amount / 1_024 / 1_024)} MB`;
  const rounded = tenths(amount);
  return unit === "" ? String(rounded) : `${rounded} ${unit}`;
}
