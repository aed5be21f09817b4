import type { Bindings } from "./bindings.ts";
import { type EdgeNode, type EdgeRuntime, openEdgeNode } from "./edge-node.ts";
import type { Setup } from "./setup.ts";

/** The domain for the life of an object. What it has counted and traced goes on at its end. */
export function openObjectNode(bindings: Bindings, setup: Setup, runtime: EdgeRuntime): EdgeNode {
  const node = openEdgeNode(bindings, setup, runtime);
  return {
    ...node,
    async close() {
      await node.close();
      await setup.handingOn.now(bindings);
    },
  };
}
