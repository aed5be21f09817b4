/// <reference path="../../../../packages/platform/src/workers/cloudflare.d.ts" />

import { DurableObject } from "cloudflare:workers";
import { admitSocket, createContext, createSocketHub, router, type Socket } from "@parley/api";
import type { AccessChange } from "@parley/core";
import { socketTransport } from "../socket-transport.ts";
import { followAccess } from "./access-feed.ts";
import type { Bindings } from "./bindings.ts";
import { readerDuties } from "./duties.ts";
import { openObjectNode } from "./object-node.ts";
import { peerOf, setupOf } from "./setup.ts";
import { acceptSocket, socketPair } from "./web-socket.ts";

/** One socket: whoever it belongs to is known only once its token has come, and it follows many runs. */
export class SocketObject extends DurableObject<Bindings> {
  async fetch(request: Request): Promise<Response> {
    const setup = await setupOf(this.env);
    const opening = admitSocket(setup.gate, request, peerOf(request));
    const node = openObjectNode(this.ctx, this.env, setup);
    const { services, background } = node;
    /** Undefined until the credentials have been looked at; null for a guest. */
    let userId: string | null | undefined;
    const hub = createSocketHub({
      router,
      log: setup.log,
      async createContext(caller) {
        const context = await createContext(services, caller, socketTransport);
        userId = context.actor?.userId ?? null;
        return context;
      },
      requestId: setup.gateOptions.requestId,
    });
    const tellHub = (change: AccessChange) => {
      if (change.kind === "session_ended") hub.endSession(change.sessionId);
      else if (change.kind === "rights_changed") hub.rightsChanged(change.userId);
    };
    services.access.onChange(tellHub);
    background.begin(readerDuties);
    const gone = new AbortController();
    const heard = followAccess(this.env, {
      apply(change) {
        if (userId === undefined) tellHub(change);
        else if (change.userId === userId) services.access.apply(change);
      },
      lost: () => hub.closeAll(1012, "restarting"),
      signal: gone.signal,
    });
    await Promise.all([heard, node.ready()]);

    const exclude = setup.handingOn.include(() => {
      const { connections, subscriptions } = hub.counts();
      return { sockets: connections, subscriptions, runs_active: 0 };
    });
    const { client, server } = socketPair();
    acceptSocket(server, {
      open: (socket: Socket) => hub.open(socket, opening),
      closed: () => {
        gone.abort();
        exclude();
        this.ctx.waitUntil(node.close());
      },
    });
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }
}
