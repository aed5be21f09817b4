const slots = 4_096;

interface Turning {
  at: number;
  every: number;
  /** False when it is over. */
  turn: () => boolean;
}

export type Wheel = ReturnType<typeof createWheel>;

/** One timer of a millisecond for however many streams: a timer each would cost more than what they send. */
export function createWheel() {
  const wheel: Turning[][] = Array.from({ length: slots }, () => []);
  let running = 0;
  let tick = 0;
  let timer: NodeJS.Timeout | null = null;
  const now = () => Math.floor(performance.now());

  function put(item: Turning) {
    wheel[Math.max(tick + 1, Math.floor(item.at)) % slots]?.push(item);
  }

  function run() {
    const until = now();
    while (tick < until) {
      tick += 1;
      for (const item of wheel[tick % slots]?.splice(0) ?? []) {
        let goesOn = true;
        while (goesOn && item.at < tick + 1) {
          item.at += item.every;
          goesOn = item.turn();
        }
        if (goesOn) put(item);
        else running -= 1;
      }
    }
    timer = running > 0 ? setTimeout(run, 1) : null;
  }

  return {
    /** Calls `turn` so many times a second until it says false. It begins with the next millisecond. */
    start(perSecond: number, turn: () => boolean): void {
      if (timer === null) {
        tick = now();
        timer = setTimeout(run, 1);
      }
      running += 1;
      put({ at: tick + 1, every: 1000 / perSecond, turn });
    },
  };
}
