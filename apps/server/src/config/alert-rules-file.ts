import { readFile } from "node:fs/promises";
import { AlertSeverity } from "@parley/contract";
import { type AlertRule, type AlertRuleChange, changedRules, usualRules } from "@parley/core";
import * as z from "zod";
import { ConfigError } from "./config.ts";
import { parseJson } from "./json.ts";
import { duration } from "./values.ts";

const dayMs = 86_400_000;
const isTime = (text: string) => (duration.safeParse(text).data ?? Number.POSITIVE_INFINITY) <= dayMs;
const time = z.string().refine(isTime, "it takes a duration such as 90s or 10m, a day at most").pipe(duration);

const Change = z
  .strictObject({
    off: z.boolean().optional(),
    over: z.number().nonnegative().optional(),
    for: time.optional(),
    severity: AlertSeverity.optional(),
    quiet: time.optional(),
  })
  .transform(({ off, over, for: forMs, severity, quiet: quietMs }): AlertRuleChange => {
    const given = Object.entries({ off, over, forMs, severity, quietMs }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given);
  });

const names = usualRules.map(({ name }) => name);
const RulesFile = z.strictObject({ rules: z.record(z.string(), Change) });

/** The shipped rules as the operator wants them. */
export async function readAlertRules(file: string | null): Promise<AlertRule[]> {
  if (file === null) return changedRules({});
  try {
    return changedRules(parseRules(await readFile(file, "utf8")));
  } catch (error) {
    throw new ConfigError(`ALERT_RULES ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Throws one line that names the rule and its field. */
function parseRules(given: string): Record<string, AlertRuleChange> {
  const { success, data, error } = RulesFile.safeParse(parseJson(given));
  const stranger = Object.keys(data?.rules ?? {}).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new Error(`rules.${stranger}: there is no such rule; there are ${names.join(", ")}`);
  if (success) return data.rules;
  const [issue] = error.issues;
  if (!issue) throw new Error("it is not as it should be");
  const place = issue.path.length === 0 ? "the file" : issue.path.map(String).join(".");
  throw new Error(`${place}: ${issue.message}`);
}
