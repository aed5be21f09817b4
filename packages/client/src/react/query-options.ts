import { isParleyError } from "@parley/client";
import { keepSame } from "./cache.ts";

const mostTries = 3;
/** After these a list is read again, after a limit too: nobody has to hear of it. What else the server says, it will say again. */
const readAgain = ["unavailable", "internal", "rate_limited"];

/** Live events keep it true, so it never grows old by itself. */
export const keptLive = {
  staleTime: Number.POSITIVE_INFINITY,
  structuralSharing: (before: unknown, now: unknown) => (isList(now) ? keepSame(isList(before) ? before : undefined, now) : now),
  retry: (failures: number, error: Error) => failures < mostTries && (!isParleyError(error) || readAgain.includes(error.reason)),
};

interface List {
  items: { id: string }[];
}

function isList(value: unknown): value is List {
  return typeof value === "object" && value !== null && "items" in value && Array.isArray(value.items);
}
