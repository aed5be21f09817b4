import type { Health, HealthCheck } from "@parley/api";

export interface HealthPart {
  ping(): Promise<void>;
  /** Without it nothing works. */
  isNeeded: boolean;
}

const timeoutMs = 2_000;

/** `down` when a needed part is away or the server is draining, `degraded` when another one is. */
export async function checkHealth(
  parts: Record<string, HealthPart>,
  isDraining: boolean,
): Promise<Pick<Health, "status" | "checks">> {
  const entries = await Promise.all(Object.entries(parts).map(async ([name, part]) => [name, await checkPart(part)] as const));
  const checks: Record<string, HealthCheck> = Object.fromEntries(entries);
  if (isDraining) checks.draining = { status: "down", detail: "the server is about to stop" };
  const states = Object.values(checks).map(({ status }) => status);
  return { status: states.includes("down") ? "down" : states.includes("degraded") ? "degraded" : "ok", checks };
}

async function checkPart({ ping, isNeeded }: HealthPart): Promise<HealthCheck> {
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), timeoutMs);
  });
  try {
    await Promise.race([ping(), tooLate]);
    return { status: "ok", ms: Math.round((performance.now() - startedAt) * 10) / 10 };
  } catch {
    return { status: isNeeded ? "down" : "degraded", detail: "no answer" };
  } finally {
    clearTimeout(timer);
  }
}
