const timerMs = 16;

/** Does the work once, however often it is asked for before the next frame. A page that nobody sees paints none. */
export function oncePerFrame(work: () => void): () => void {
  let isAsked = false;
  const run = () => {
    isAsked = false;
    work();
  };
  return () => {
    if (isAsked) return;
    isAsked = true;
    const isSeen = typeof requestAnimationFrame === "function" && document.visibilityState === "visible";
    if (isSeen) requestAnimationFrame(run);
    else setTimeout(run, timerMs);
  };
}
