import { admitSocket, httpStatusOf } from "@parley/api";
import { AppError } from "@parley/core";
import { type ExecutionContext, named } from "@parley/platform/workers";
import type { Bindings } from "./workers/bindings.ts";
import { answer, createEdgeApp } from "./workers/calls.ts";
import { peerOf, type Setup, setupOf } from "./workers/setup.ts";

export { CacheObject, LimitObject, TopicObject } from "@parley/platform/workers/objects";
export { AccessObject } from "./workers/access-object.ts";
export { KeeperObject } from "./workers/keeper-object.ts";
export { MetersObject } from "./workers/meters-object.ts";
export { RunObject } from "./workers/run-object.ts";
export { SocketObject } from "./workers/socket-object.ts";

const apps = new WeakMap<Setup, ReturnType<typeof createEdgeApp>>();
let isKept = false;

// biome-ignore lint/style/noDefaultExport: this is how a worker is found
export default {
  async fetch(request: Request, bindings: Bindings, context: ExecutionContext): Promise<Response> {
    const setup = await setupOf(bindings);
    try {
      if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return await openSocket(request, bindings, setup);
      const app = apps.get(setup) ?? createEdgeApp(setup);
      apps.set(setup, app);
      return await answer(app, request, { bindings, setup, context });
    } finally {
      // The first answer does not wait for the keeper's start.
      if (!isKept) context.waitUntil(named(bindings.KEEPER, "keeper").wake());
      isKept = true;
    }
  },
};

/** What does not pass the gate gets an answer, and no object. */
function openSocket(request: Request, { SOCKETS }: Bindings, { gate, log }: Setup): Promise<Response> | Response {
  try {
    admitSocket(gate, request, peerOf(request));
  } catch (error) {
    const reason = error instanceof AppError ? error.reason : "invalid_input";
    const status = httpStatusOf(reason);
    log.info({ address: peerOf(request), status, reason }, "a socket was refused");
    return new Response(null, { status });
  }
  return SOCKETS.get(SOCKETS.newUniqueId()).fetch(request);
}
