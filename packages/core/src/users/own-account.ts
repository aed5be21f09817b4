import { AppError } from "../errors.ts";

/** For what belongs to the caller: without it, the account was deleted a moment ago. */
export function orGone<Found>(found: Found | null): Found {
  if (found === null) throw new AppError("session_ended", "This account no longer exists");
  return found;
}
