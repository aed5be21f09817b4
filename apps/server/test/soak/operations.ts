import type { Random } from "./random.ts";
import type { By } from "./wire.ts";

/** What may happen to answers and their readers. Numbers name runs, followers and nodes; what does not apply is passed over. */
export type Operation =
  | { do: "send"; run: number; node: number; cutAfter: number | null; wait: boolean }
  | { do: "say"; run: number; pieces: number }
  | { do: "follow"; run: number; follower: number; node: number; by: By; cutAfter: number | null }
  | { do: "listen"; person: number; node: number; by: By; cutAfter: number | null }
  | { do: "drop" | "stall" | "flow"; run: number; follower: number }
  | { do: "stop"; run: number; node: number; wait: boolean }
  | { do: "save" | "reap" | "crash" | "start"; node: number }
  /** Its writer renews its lease too late, and finds that it is not the writer any more. */
  | { do: "fence"; run: number; node: number }
  | { do: "cut-database" | "cut-redis" | "stall-redis" | "flow-redis"; node: number }
  | { do: "flush-redis" }
  | { do: "wait"; milliseconds: number };

export interface Shape {
  runs: number;
  nodes: number;
  hasRedis: boolean;
  /** They save, reap, die and come back when the case says so. */
  isDriven: boolean;
}

export const followersOfRun = 2;

/** A sequence that makes some sense: runs are sent early, a node that has crashed comes back, and most is said and read. */
export function planOperations(random: Random, { runs, nodes, hasRedis, isDriven }: Shape): Operation[] {
  const run = () => random.below(runs);
  const node = () => random.below(nodes);
  const follower = () => random.below(followersOfRun);
  const by = (): By => (random.chance(0.5) ? "websocket" : "sse");
  const cutAfter = (probability: number) =>
    random.chance(probability) ? random.between(1, random.pick([300, 1_500, 6_000])) : null;
  const wait = () => random.chance(0.8);

  const kinds: [number, () => Operation][] = [
    [10, () => ({ do: "say", run: run(), pieces: random.between(1, 12) })],
    [9, () => ({ do: "follow", run: run(), follower: follower(), node: node(), by: by(), cutAfter: cutAfter(0.5) })],
    [2, () => ({ do: "listen", person: random.below(2), node: node(), by: by(), cutAfter: cutAfter(0.3) })],
    [3, () => ({ do: "drop", run: run(), follower: follower() })],
    [2, () => ({ do: "stall", run: run(), follower: follower() })],
    [2, () => ({ do: "flow", run: run(), follower: follower() })],
    [1, () => ({ do: "stop", run: run(), node: node(), wait: wait() })],
    [isDriven ? 6 : 0, () => ({ do: "save", node: node() })],
    [isDriven ? 0.5 : 0, () => ({ do: "reap", node: node() })],
    [isDriven ? 1.5 : 0, () => ({ do: "crash", node: node() })],
    [isDriven ? 1.5 : 0, () => ({ do: "start", node: node() })],
    [nodes > 1 ? 0.4 : 0, () => ({ do: "fence", run: run(), node: node() })],
    [nodes > 1 ? 0.6 : 0, () => ({ do: "cut-database", node: node() })],
    [hasRedis ? 0.8 : 0, () => ({ do: "flush-redis" })],
    [hasRedis ? 0.8 : 0, () => ({ do: "cut-redis", node: node() })],
    [hasRedis ? 0.6 : 0, () => ({ do: "stall-redis", node: node() })],
    [hasRedis ? 1 : 0, () => ({ do: "flow-redis", node: node() })],
    [3, () => ({ do: "wait", milliseconds: random.between(0, random.pick([1, 5, 60])) })],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);

  function any(): Operation {
    let point = (random.below(1e6) / 1e6) * total;
    for (const [weight, make] of kinds) {
      point -= weight;
      if (point < 0) return make();
    }
    return { do: "wait", milliseconds: 0 };
  }

  const operations: Operation[] = [0, 1].map((person) => ({ do: "listen", person, node: node(), by: by(), cutAfter: null }));
  for (let index = 0; index < runs; index++) {
    operations.push({ do: "send", run: index, node: node(), cutAfter: cutAfter(0.15), wait: wait() });
    for (let count = random.between(0, 4); count > 0; count--) operations.push(any());
  }
  for (let count = random.between(8, 36); count > 0; count--) {
    const operation = random.chance(0.06)
      ? ({ do: "send", run: run(), node: node(), cutAfter: null, wait: true } as const)
      : any();
    operations.push(operation);
  }
  return operations;
}

export function describeOperation(operation: Operation): string {
  const { do: name, ...rest } = operation;
  const details = Object.entries(rest).map(([key, value]) => (value === null || value === true ? "" : ` ${key} ${value}`));
  return `${name}${details.join("")}`;
}
