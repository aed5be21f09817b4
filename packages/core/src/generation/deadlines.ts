export interface Deadlines {
  /** Until the vendor says anything at all. A model on one's own machine may have to be loaded first. */
  firstByteMs: number;
  localFirstByteMs: number;
  /** Between two signs of life. */
  gapMs: number;
  /** For one call, however lively. */
  totalMs: number;
}

/** Aborts a call that gives no sign of life for too long. A sign costs one addition, not a timer. */
export function watchDeadlines({ firstByteMs, gapMs, totalMs }: Deadlines, outer: AbortSignal) {
  const controller = new AbortController();
  const watch = { signal: controller.signal, signs: 0, missed: null as string | null, stop };
  let seen = 0;
  let silentHalves = 0;
  const miss = (what: string) => {
    watch.missed = what;
    controller.abort(what);
  };
  const total = setTimeout(() => miss("The answer took too long"), totalMs);
  let quiet = setTimeout(check, firstByteMs);
  const onAbort = () => controller.abort(outer.reason);
  if (outer.aborted) onAbort();
  outer.addEventListener("abort", onAbort, { once: true });

  function check() {
    if (watch.signs === 0) return miss("The vendor did not begin to answer");
    silentHalves = watch.signs === seen ? silentHalves + 1 : 0;
    if (silentHalves === 2) return miss("The vendor fell silent");
    seen = watch.signs;
    quiet = setTimeout(check, gapMs / 2);
  }
  function stop() {
    clearTimeout(total);
    clearTimeout(quiet);
    outer.removeEventListener("abort", onAbort);
  }
  return watch;
}
