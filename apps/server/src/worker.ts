import { type ExecutionContext, named } from "@parley/platform/workers/runtime";
import type { Bindings } from "./workers/bindings.ts";
import { domainOf } from "./workers/domain.ts";

export { CacheObject, LimitObject, TopicObject } from "@parley/platform/workers/objects";
export { AccessObject } from "./workers/access-object.ts";
export { KeeperObject } from "./workers/keeper-object.ts";
export { MetersObject } from "./workers/meters-object.ts";
export { RunObject } from "./workers/run-object.ts";
export { SocketObject } from "./workers/socket-object.ts";

let isKept = false;

// biome-ignore lint/style/noDefaultExport: this is how a worker is found
export default {
  async fetch(request: Request, bindings: Bindings, context: ExecutionContext): Promise<Response> {
    const domain = await domainOf(bindings);
    try {
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return await domain.answer(request, context);
      const { SOCKETS } = bindings;
      return domain.refusal(request) ?? (await SOCKETS.get(SOCKETS.newUniqueId()).fetch(request));
    } finally {
      // The first answer does not wait for the keeper's start.
      if (!isKept) context.waitUntil(named(bindings.KEEPER, "keeper").wake());
      isKept = true;
    }
  },
};
