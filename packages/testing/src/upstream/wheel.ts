const slots = 4_096;

/** `later`: nothing was possible now; what was due then is not made up for. */
export type Turn = "again" | "later" | "over";

interface Turning {
  at: number;
  every: number;
  turn: () => Turn;
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

  function take(item: Turning) {
    while (item.at < tick + 1) {
      const turn = item.turn();
      if (turn === "over") {
        running -= 1;
        return;
      }
      item.at = turn === "again" ? item.at + item.every : tick + 1;
    }
    put(item);
  }

  function run() {
    const until = now();
    while (tick < until) {
      tick += 1;
      for (const item of wheel[tick % slots]?.splice(0) ?? []) take(item);
    }
    timer = running > 0 ? setTimeout(run, 1).unref() : null;
  }

  return {
    /** Takes a turn so many times a second until one is the last. It begins with the next millisecond. */
    start(perSecond: number, turn: () => Turn): void {
      if (timer === null) {
        tick = now();
        timer = setTimeout(run, 1).unref();
      }
      running += 1;
      put({ at: tick + 1, every: 1000 / perSecond, turn });
    },
  };
}
