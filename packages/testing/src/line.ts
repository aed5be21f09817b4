import { connect, createServer, type Socket } from "node:net";
import { listenLocally } from "./listening.ts";

type State = "open" | "cut" | "stalled" | "mute";

/** A line to a service that a test can trouble: its own port, and everything passes through here. */
export async function openLine(service: URL) {
  const pairs = new Set<[near: Socket, far: Socket]>();
  let state: State = "open";

  const server = createServer((near) => {
    if (state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(Number(service.port), service.hostname);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const close = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("close", close).on("error", close);
    near.pipe(far);
    far.pipe(near);
    obey(pair);
  });

  function obey([near, far]: [Socket, Socket]) {
    if (state === "cut") near.destroy();
    if (state === "stalled") near.unpipe(far).pause();
    if (state === "stalled" || state === "mute") far.unpipe(near).pause();
    if (state !== "open") return;
    near.unpipe(far).pipe(far);
    far.unpipe(near).pipe(near);
  }

  function become(next: State) {
    state = next;
    for (const pair of Array.from(pairs)) obey(pair);
  }

  const url = new URL(service);
  url.host = new URL((await listenLocally(server)).url).host;

  return {
    url: url.href,
    /** Every connection ends, and none begins. */
    cut: () => become("cut"),
    /** Nothing passes, and nothing ends. */
    stall: () => become("stalled"),
    /** What is asked arrives; no answer comes back. */
    mute: () => become("mute"),
    restore: () => become("open"),
    async close() {
      become("cut");
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
