import { connect, createServer, type Socket } from "node:net";
import { listenLocally } from "@parley/testing";

/** Where a line leads: a connection to it, or null where nothing listens any more. */
export type Target = () => Socket | null;

export type Line = Awaited<ReturnType<typeof openLine>>;

interface Pair {
  near: Socket;
  far: Socket | null;
}

/** A stretch of network between two ends, that can break at any byte, stall, or swallow everything. */
export async function openLine(first: Target | null = null) {
  const pairs = new Set<Pair>();
  let target = first;
  let nextCut = (): number | null => null;
  let isStalled = false;
  let isBlack = false;

  const server = createServer({ noDelay: true }, (near) => {
    near.on("error", () => {});
    if (isBlack) {
      near.resume();
      return void track({ near, far: null });
    }
    const far = target?.() ?? null;
    if (!far) return void near.destroy();
    const pair = track({ near, far });
    const cut = nextCut();
    let passed = 0;
    far.on("error", () => {});
    near.on("close", () => far.destroy());
    far.on("close", () => {
      if (pair.far) near.end();
    });
    near.on("data", (chunk) => {
      if (pair.far && !far.write(chunk)) near.pause();
    });
    far.on("drain", () => near.resume());
    far.on("data", (chunk) => {
      if (!pair.far || (cut !== null && passed >= cut)) return;
      passed += chunk.length;
      const kept = cut !== null && passed >= cut ? chunk.subarray(0, chunk.length - (passed - cut)) : chunk;
      const hasRoom = near.write(kept);
      if (cut !== null && passed >= cut) near.destroySoon();
      else if (!hasRoom) far.pause();
    });
    near.on("drain", () => {
      if (!isStalled) far.resume();
    });
    if (isStalled) far.pause();
  });

  function track(pair: Pair): Pair {
    pairs.add(pair);
    pair.near.on("close", () => pairs.delete(pair));
    return pair;
  }

  const { port } = await listenLocally(server);

  function drop() {
    for (const { near, far } of pairs) {
      near.destroy();
      far?.destroy();
    }
  }

  return {
    port,
    /** From now on; what is connected stays where it is. */
    lead(to: Target | null) {
      target = to;
    },
    /** Asked at each connection: after how many bytes towards the near end it breaks; null is never. */
    cutAfter(choose: () => number | null) {
      nextCut = choose;
    },
    /** The next connection only. */
    cutNextAfter(bytes: number | null) {
      let left = bytes;
      nextCut = () => {
        const cut = left;
        left = null;
        return cut;
      };
    },
    drop,
    /** Nothing reaches the near end until it flows again. */
    stall() {
      isStalled = true;
      for (const { far } of pairs) far?.pause();
    },
    flow() {
      isStalled = false;
      for (const { far } of pairs) far?.resume();
    },
    /** The far end is gone without a word, and the near end never hears of it. */
    swallow() {
      isBlack = true;
      for (const pair of pairs) {
        const { far } = pair;
        pair.far = null;
        far?.destroy();
      }
    },
    close() {
      drop();
      server.close();
    },
  };
}

export function targetAt(port: number, host = "127.0.0.1"): Target {
  return () => connect({ port, host, noDelay: true });
}
