import type { Alert } from "@parley/contract";
import type { AlertNotice } from "../ports.ts";
import { written } from "./rules.ts";

export type AlertTone = "critical" | "warning" | "resolved" | "test";

/** How it should look to whoever reads it. */
export const toneOf = ({ state, alert }: AlertNotice): AlertTone => (state === "opened" ? alert.severity : state);

const words: Record<AlertTone, string> = { critical: "Critical", warning: "Warning", resolved: "Resolved", test: "Test" };

export const titleOf = (notice: AlertNotice) => `${words[toneOf(notice)]}: ${notice.alert.rule}`;

export interface AlertFact {
  name: string;
  value: string | Date;
}

/** What is worth a line each, in every channel. */
export function factsOf({ alert }: Pick<AlertNotice, "alert">): AlertFact[] {
  const { subject, value, threshold, unit, openedAt, resolvedAt } = alert;
  return [
    ...(subject ? [{ name: "About", value: subject }] : []),
    ...(isMeasured(alert) ? [{ name: "Reading", value: written(value, unit) }] : []),
    ...(isMeasured(alert) ? [{ name: "Threshold", value: written(threshold, unit) }] : []),
    { name: "Since", value: openedAt },
    ...(resolvedAt ? [{ name: "Until", value: resolvedAt }] : []),
  ];
}

/** What is either so or not has no reading that says more. */
const isMeasured = ({ unit, threshold }: Alert) => unit !== "" || threshold > 0;

/** `2026-11-21 19:31:07 UTC` */
export const writtenTime = (at: Date) => `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
