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
    const isolate = await isolateOf(bindings);
    try {
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return await isolate.answer(request, context);
      const { SOCKETS } = bindings;
      return isolate.refusal(request) ?? (await SOCKETS.get(SOCKETS.newUniqueId()).fetch(request));
    } finally {
      // The first answer does not wait for the keeper's start.
      if (!isKept) context.waitUntil(named(bindings.KEEPER, "keeper").wake());
      isKept = true;
    }
  },
};
