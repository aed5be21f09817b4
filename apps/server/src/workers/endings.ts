import type { Ending } from "@parley/platform/workers/runtime";

/** How a socket ends that this has happened to. */
export function endingOf(kind: "session_ended" | "rights_changed"): Ending {
  return { code: kind === "session_ended" ? 4401 : 4403, reason: kind };
}
