export type CheckStatus = "ok" | "degraded" | "down";

export interface Check {
  status: CheckStatus;
  /** How long the answer took. */
  ms: number;
  detail?: string;
}

export type Found = Record<string, Check>;

export interface CheckReport {
  status: CheckStatus;
  checks: Found;
}

/** As bad as the worst. */
export function reportOf(checks: Found): CheckReport {
  const found = new Set(Object.values(checks).map(({ status }) => status));
  return { status: found.has("down") ? "down" : found.has("degraded") ? "degraded" : "ok", checks };
}
