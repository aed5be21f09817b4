/** More than any vendor counts, and what all of a month's can be added to. */
const most = 1_000_000_000;

/** A count as vendors may tell it; anything else was not told. */
export function tokenCount(value: unknown): number | undefined {
  // The sum makes 0 of -0, which is not the same everywhere.
  return Number.isSafeInteger(value) && typeof value === "number" && value >= 0 && value <= most ? value + 0 : undefined;
}

export function tokenSum(...counts: number[]): number {
  return Math.min(
    most,
    counts.reduce((sum, count) => sum + count, 0),
  );
}
