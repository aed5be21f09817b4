import type { ErrorReason } from "@parley/contract/errors";

/** What fails on our side or a vendor's, whoever called. Everything else is the caller's own affair. */
export const faults: ReadonlySet<string> = new Set<ErrorReason>([
  "internal",
  "unavailable",
  "provider_unavailable",
  "provider_rejected",
  "provider_unconfigured",
]);
