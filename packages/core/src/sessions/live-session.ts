import { AppError } from "../errors.ts";

/** For what a session asks: without a live one, or while its owner is suspended, the reason why it is refused. */
export function orEnded<Found extends { status: "active" | "suspended" }>(found: Found | null): Found {
  if (found === null) throw new AppError("session_ended", "This session has ended");
  if (found.status === "suspended") throw new AppError("account_disabled", "This account is suspended");
  return found;
}
