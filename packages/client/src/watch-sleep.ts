const everyMs = 5_000;
const sleptMs = 20_000;

/** Calls back when the machine wakes up, or is on the network again. */
export function watchSleep(woke: () => void): () => void {
  let seenAt = Date.now();
  const timer: ReturnType<typeof setInterval> & { unref?(): void } = setInterval(() => {
    const now = Date.now();
    if (now - seenAt > sleptMs) woke();
    seenAt = now;
  }, everyMs);
  // In Node a timer would keep the process alive.
  timer.unref?.();
  globalThis.addEventListener?.("online", woke);
  return () => {
    clearInterval(timer);
    globalThis.removeEventListener?.("online", woke);
  };
}
