import type { Node } from "./node.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export type Lane = Awaited<ReturnType<typeof openLane>>;

/** Nodes and people for one case at a time. The embedded database has one process, and so one lane; the worker is one for all. */
export async function openLane(world: World, name: string) {
  let started = 0;
  const start = () => world.start(`${name}-${++started}`);
  const first = await start();
  const nodes: Node[] = [first];
  if (world.kind === "postgres" || world.kind === "redis") nodes.push(await start());
  const people = [await world.register(first), await world.register(first)] as const;
  return {
    world,
    name,
    nodes,
    people,
    node: (index: number): Node => nodes[index % nodes.length] ?? first,
    /** One that answers. */
    living(random?: Random): Node {
      const living = nodes.filter((node) => !node.hasCrashed);
      return living[random?.below(living.length) ?? 0] ?? first;
    },
    async restart(index: number) {
      nodes[index % nodes.length] = await start();
    },
    async close() {
      await Promise.all(nodes.map((node) => (node.hasCrashed ? undefined : node.stop())));
    },
  };
}
