import type { ObjectState } from "@parley/platform/workers";
import type { Bindings } from "./bindings.ts";
import { type EdgeNode, openEdgeNode } from "./edge-node.ts";
import type { Setup } from "./setup.ts";

/** The domain for the life of an object. What it has counted and traced goes on at its end. */
export function openObjectNode(object: ObjectState, bindings: Bindings, setup: Setup): EdgeNode {
  const node = openEdgeNode(bindings, setup, (work) => object.waitUntil(work));
  return {
    ...node,
    async close() {
      await node.close();
      await setup.handingOn.now(bindings);
    },
  };
}
