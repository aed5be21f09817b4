import type { ErrorReason } from "@parley/contract/errors";
import { isParleyError } from "../errors.ts";

/** After these nothing but signing in again helps. */
const endings = ["session_ended", "token_reused", "unauthenticated", "account_disabled"] as const satisfies ErrorReason[];

/**
 * Why a session has ended.
 *
 * @example
 * ```ts
 * const mayReturn = (reason: EndReason) => reason !== "account_disabled";
 * ```
 */
export type EndReason = "signed_out" | (typeof endings)[number];

export const endingOf = (error: unknown): EndReason | undefined =>
  endings.find((reason) => isParleyError(error) && error.reason === reason);
