// One clock for all processes of this machine: CLOCK_MONOTONIC in microseconds, modulo 1e12, written as 12 digits.
export function nowUs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

export const stamp = () => `@${String(Math.floor(nowUs() % 1e12)).padStart(12, "0")}`;
