import { type ExecutionContext, named } from "@parley/platform/workers/runtime";
import type { Bindings } from "./workers/bindings.ts";
import { isolateOf } from "./workers/isolate.ts";

export { CacheObject, LimitObject, TopicObject } from "@parley/platform/workers/objects";
export { AccessObject } from "./workers/objects/access-object.ts";
export { KeeperObject } from "./workers/objects/keeper-object.ts";
export { MetersObject } from "./workers/objects/meters-object.ts";
export { RunObject } from "./workers/objects/run-object.ts";
export { SocketObject } from "./workers/objects/socket-object.ts";

let isKept = false;

// biome-ignore lint/style/noDefaultExport: this is how a worker is found
export default {
  async fetch(request: Request, bindings: Bindings, context: ExecutionContext): Promise<Response> {
    try {
      const isolate = await isolateOf(bindings);
      const isSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
      const response = isSocket
        ? (isolate.refusal(request) ?? (await bindings.SOCKETS.get(bindings.SOCKETS.newUniqueId()).fetch(request)))
        : await isolate.answer(request, context);
      // The first answer does not wait for the keeper's start.
      if (!isKept) context.waitUntil(wakeKeeper(bindings));
      return response;
    } catch (cause) {
      const { unavailable } = await import("./workers/isolate/open-isolate.ts");
      return unavailable(request, bindings, cause);
    }
  },
};

async function wakeKeeper({ KEEPER }: Bindings): Promise<void> {
  isKept = true;
  try {
    await named(KEEPER, "keeper").wake();
  } catch {
    isKept = false;
  }
}
