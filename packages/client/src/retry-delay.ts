const shortestMs = 250;
const longestMs = 15_000;

/** Never nothing, and never the same for everybody: a server that comes back must not meet all of its clients at once. */
export function retryDelayMs(attempt: number): number {
  return Math.min(shortestMs * 2 ** attempt, longestMs) * (0.5 + Math.random());
}

/** Over at once when the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, milliseconds);
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
    signal?.addEventListener("abort", finish);
  });
}
