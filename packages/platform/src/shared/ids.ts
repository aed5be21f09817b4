import type { Clock, Ids } from "@parley/core/ports";

const counterBits = 12;

/** UUIDv7 with the counter of RFC 9562, method 1: ids of one process sort in the order in which they were made. */
export function createIds(clock: Clock): Ids {
  const random = new Uint8Array(10);
  let lastTime = 0;
  let counter = 0;

  return {
    next() {
      crypto.getRandomValues(random);
      const now = clock.now().getTime();
      if (now > lastTime) {
        lastTime = now;
        counter = (((random[8] ?? 0) << 8) | (random[9] ?? 0)) & 0x7ff;
      } else if (++counter >= 1 << counterBits) {
        lastTime++;
        counter = 0;
      }
      const time = lastTime.toString(16).padStart(12, "0");
      const count = counter.toString(16).padStart(3, "0");
      const variant = (((random[0] ?? 0) & 0x3f) | 0x80).toString(16);
      let rest = "";
      for (let index = 1; index < 8; index++) rest += (random[index] ?? 0).toString(16).padStart(2, "0");
      return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${rest.slice(0, 2)}-${rest.slice(2)}`;
    },
  };
}
