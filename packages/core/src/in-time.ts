/** As finely as times, and amounts of anything, are told. */
export const tenths = (amount: number) => Math.round(amount * 10) / 10;

const usualPatienceMs = 2_000;

export class TooLateError extends Error {
  override readonly name = "TooLateError";
}

/** How long it took, in milliseconds, whatever came of it. */
export type InTime<Answer> = { ms: number; answer: Answer } | { ms: number; error: unknown };

/** The answer, or why there is none: it failed, or took longer than anybody waits. Never throws. */
export async function inTime<Answer>(work: () => Promise<Answer>, patienceMs = usualPatienceMs): Promise<InTime<Answer>> {
  const startedAt = performance.now();
  const tookMs = () => tenths(performance.now() - startedAt);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLateError(`There was no answer within ${patienceMs / 1_000} seconds`)), patienceMs);
  });
  try {
    const answer = await Promise.race([work(), tooLate]);
    return { ms: tookMs(), answer };
  } catch (error) {
    return { ms: tookMs(), error };
  } finally {
    clearTimeout(timer);
  }
}
