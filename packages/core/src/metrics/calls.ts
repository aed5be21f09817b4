import type { ErrorReason } from "@parley/contract/errors";
import { tenths } from "../in-time.ts";
import type { Ports } from "../ports.ts";
import { faults } from "./faults.ts";
import type { Meters } from "./meters.ts";

export interface CallReport {
  procedure: string;
  requestId: string;
  userId: string | null;
  ms: number;
  /** Null for a call that went well. */
  reason: ErrorReason | null;
}

const slowMs = 1_000;

export type Calls = ReturnType<typeof createCalls>;

/** Each call of a procedure, whatever the transport: counted, and one line in the log. */
export function createCalls({ log, scopes }: Pick<Ports, "log" | "scopes">, { meters }: { meters: Meters }) {
  return {
    ended({ procedure, requestId, userId, ms, reason }: CallReport) {
      meters.calls.observe(ms / 1_000, procedure);
      if (reason !== null) meters.callErrors.add(1, procedure, reason);
      const line = { requestId, userId, procedure, ms: tenths(ms), reason };
      if (ms >= slowMs) {
        const { databaseMs = 0, vendorMs = 0 } = scopes.current() ?? {};
        log.warn({ ...line, slow: true, databaseMs: tenths(databaseMs), vendorMs: tenths(vendorMs) }, "slow call");
      } else if (reason !== null && faults.has(reason)) {
        log.warn(line, "call");
      } else {
        log.info(line, "call");
      }
    },
  };
}
